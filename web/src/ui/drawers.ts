// Panels at the side: one is open at a time; Escape closes it and gives the focus back to its button.
import { part } from "./page";

const DRAWERS = { "show-panel": "panel", "show-settings": "settings" } as const;
const shut: (() => void)[] = [];

export function openDrawers(): void {
  for (const [opener, panel] of Object.entries(DRAWERS)) {
    openDrawer(part(opener, HTMLButtonElement), part(panel, HTMLElement));
  }
}

/** Makes a panel a drawer of its button; `toggled` is told when it opens and closes. */
export function openDrawer(opener: HTMLButtonElement, panel: HTMLElement, toggled?: (open: boolean) => void): void {
  const set = (on: boolean): void => {
    if (panel.hidden !== on) return;
    panel.hidden = !on;
    opener.setAttribute("aria-expanded", String(on));
    toggled?.(on);
  };
  const close = (): void => {
    set(false);
    opener.focus();
  };
  opener.addEventListener("click", () => {
    const open = panel.hidden;
    shut.forEach((one) => one());
    set(open);
  });
  panel.querySelector(".close")?.addEventListener("click", close);
  panel.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
  });
  shut.push(() => set(false));
}
