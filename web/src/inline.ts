// Addresses of the world's files: beside the page, or inside it where page and world are one file. There each file is
// a script element of a type that no browser runs, with its name and its bytes in base64.
const INSIDE = "script[type='application/octet-stream'][data-file]";
/** Chromium starts no worklet from a blob in a page that was opened as a file, but from a data: address it does. */
const PROGRAM = ".js";
const TYPES: Readonly<Record<string, string>> = { jpg: "image/jpeg", txt: "text/plain" };

const made = new Map<string, string>();

/** Where a file of the world is fetched from. The name stays the address's end, for those who go by it. */
export function addressOf(name: string): string {
  const known = made.get(name);
  if (known !== undefined) return known;
  const held = [...document.querySelectorAll<HTMLScriptElement>(INSIDE)].find((one) => one.dataset["file"] === name);
  if (!held) return name;
  const address = name.endsWith(PROGRAM) ? `data:text/javascript;base64,${held.text}` : blobOf(held.text, name);
  made.set(name, address);
  held.remove(); // its text would stay in memory
  return address;
}

function blobOf(base64: string, name: string): string {
  const type = TYPES[name.slice(name.lastIndexOf(".") + 1)] ?? "application/octet-stream";
  return `${URL.createObjectURL(new Blob([bytesOf(base64)], { type }))}#${name}`;
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
