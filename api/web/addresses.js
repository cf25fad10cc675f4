// What something that a house makes is called in addresses, from the words that people read.

/** An address of its own: a title's letters, and what keeps two of one title apart. */
export const nameFor = (title) => `${plainName(title) || 'title'}-${Date.now().toString(36).slice(-5)}`;

/** What is left of words in an address: small letters, numbers and hyphens, or nothing. */
export const plainName = (text) => text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase().replaceAll(/[^a-z0-9]+/g, '-').replaceAll(/^-+|-+$/g, '').slice(0, 30).replace(/-+$/, '');
