// Small tools for building pages: elements without templates, text set only where it changed.

/** An HTML element; a property that is a function (`onclick`) becomes a listener, false and null are left out. */
export function h(tag, properties, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else if (name === 'value') element.value = value;
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Sets the text of an element only if it differs, so that a live region does not speak twice. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A form field with its label above and, where given, a hint that the field points to. */
export function field(label, control, hint) {
  if (!control.id) control.id = `field-${++field.count}`;
  const note = hint ? h('small', { id: `${control.id}-hint` }, hint) : null;
  if (note) control.setAttribute('aria-describedby', note.id);
  return h('div', { class: 'field' }, h('label', { for: control.id }, label), control, note);
}
field.count = 0;

/** Runs an action with its button busy; what it throws goes to `onproblem`. A second press meanwhile does nothing. */
export async function whileBusy(button, action, onproblem) {
  if (button.getAttribute('aria-busy') === 'true') return;
  button.setAttribute('aria-busy', 'true');
  try {
    await action();
  } catch (problem) {
    onproblem(problem);
  } finally {
    button.removeAttribute('aria-busy');
  }
}
