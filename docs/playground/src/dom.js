// Elements made of text: nothing here, and so nothing on the page, takes a text for markup.

// what changes the order of other characters, or cannot be seen, is written out
export const visible = text => String(text).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, one => (one === "\n" ? one : `\\u{${one.codePointAt(0).toString(16)}}`));

export function h(tag, properties, ...children) {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(properties ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key === "onclick") made.addEventListener("click", value);
    else made.setAttribute(key, value === true ? "" : value);
  }
  for (const child of children.flat(9)) {
    if (child === undefined || child === null || child === false) continue;
    made.append(child instanceof Node ? child : visible(child));
  }
  return made;
}

export const $ = id => document.getElementById(id);

export const fill = (where, ...children) => where.replaceChildren(...children.flat(9).filter(Boolean));

export const number = value => (typeof value === "number" ? value.toLocaleString("en") : String(value).replace(/\B(?=(\d{3})+$)/g, ","));

export const counted = (count, word) => `${number(count)} ${word}${count === 1 ? "" : "s"}`;
