// Paying: details and the demonstration's payment. It comes after the seats are reserved, never before.

import { explain } from './api.js';
import { field, h, setText, whileBusy } from './dom.js';

/** What is wrong with a field's text: a name of words, or null. */
function faultOf(email) {
  if (!email.value.trim()) return 'email_missing';
  return email.validity.typeMismatch || !/@.+\../.test(email.value) ? 'email_wrong' : null;
}

/** The form; `onorder(order)` once there is one, `onback()` to change the seats. */
export function checkoutForm({ basket, words, memory, onorder, onback }) {
  const { kept } = memory;
  const email = h('input', { id: 'email', name: 'email', type: 'email', required: true, autocomplete: 'email', inputmode: 'email', autocapitalize: 'none', spellcheck: 'false', enterkeyhint: 'next', maxlength: 254, value: kept.email ?? '' });
  const name = h('input', { id: 'name', name: 'name', type: 'text', autocomplete: 'name', autocapitalize: 'words', enterkeyhint: 'done', maxlength: 120, value: kept.name ?? '' });
  const choices = ['yes', 'no', 'late'].map((choice) => h('label', { class: 'choice' },
    h('input', { type: 'radio', name: 'payment', value: choice, ...(choice === 'yes' ? { checked: true } : {}) }),
    h('span', {}, h('b', {}, words.say(`pay.${choice}`)), h('small', {}, words.say(`pay.${choice}_hint`)))));
  const problem = h('p', { class: 'notice problem', role: 'alert', hidden: true });
  const fault = h('p', { class: 'fault', id: 'email-fault', hidden: true });
  const summary = h('div', { class: 'notice problem', tabindex: '-1', role: 'group', 'aria-label': words.say('check_fields'), hidden: true });
  const button = h('button', { type: 'submit', class: 'primary large' }, words.say('pay_amount', { amount: words.money(basket.total, basket.currency) }));
  const back = h('button', { type: 'button', class: 'quiet', onclick: onback }, words.say('back_to_seats'));
  const emailField = field(words.say('email'), email, words.say('email_hint'));
  emailField.append(fault);
  const hint = email.getAttribute('aria-describedby') ?? '';

  /** Says what is wrong beside the field, and above with a way to it; true if all is well. */
  function check(isSummed) {
    const wrong = faultOf(email);
    fault.hidden = !wrong;
    if (wrong) setText(fault, words.say(wrong));
    email.setAttribute('aria-invalid', String(Boolean(wrong)));
    email.setAttribute('aria-describedby', wrong ? `${hint} email-fault`.trim() : hint);
    summary.hidden = !wrong || !(isSummed || !summary.hidden);
    if (wrong && isSummed) {
      const goTo = (event) => { event.preventDefault(); email.focus(); };
      summary.replaceChildren(h('p', {}, words.say('check_fields')), h('p', {}, h('a', { href: '#email', onclick: goTo }, words.say(wrong))));
      summary.focus();
    }
    return !wrong;
  }

  async function pay(event) {
    event.preventDefault();
    problem.hidden = true;
    if (!check(true)) return;
    memory.keep({ email: email.value.trim(), name: name.value.trim() });
    const customer = { email: email.value.trim(), language: words.language, ...(name.value.trim() ? { name: name.value.trim() } : {}) };
    const reference = `${new FormData(event.target).get('payment')}-${crypto.randomUUID()}`;
    await whileBusy(button, async () => onorder(await basket.order({ customer, payment: { provider: 'demo', reference } })), (trouble) => {
      setText(problem, explain(trouble, words));
      problem.hidden = false;
      problem.scrollIntoView({ block: 'nearest' });
    });
  }

  email.addEventListener('input', () => { if (email.getAttribute('aria-invalid') === 'true') check(false); });
  return h('form', { class: 'card checkout', novalidate: true, onsubmit: pay },
    h('h2', { tabindex: '-1' }, words.say('your_details')), summary, emailField,
    field(`${words.say('name')} (${words.say('optional')})`, name),
    h('fieldset', {}, h('legend', {}, words.say('payment')), h('p', { class: 'muted' }, words.say('payment_demo')), choices),
    problem, h('div', { class: 'actions' }, button, back));
}
