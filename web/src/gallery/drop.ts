// Photos come in: dropped anywhere on the page, pasted, or chosen by button and keyboard.

export function openDrop(zone: HTMLElement, input: HTMLInputElement, take: (photos: File[]) => void): void {
  let inside = 0;
  const hover = (by: number): void => {
    inside = Math.max(0, inside + by);
    zone.classList.toggle("over", inside > 0);
  };
  const brings = (event: DragEvent): boolean => !!event.dataTransfer?.types.includes("Files");
  window.addEventListener("dragenter", (event) => brings(event) && hover(1));
  window.addEventListener("dragleave", (event) => brings(event) && hover(-1));
  window.addEventListener("dragover", (event) => event.preventDefault());
  window.addEventListener("drop", (event) => {
    event.preventDefault(); // else the browser would leave for the photo
    hover(-inside);
    take([...(event.dataTransfer?.files ?? [])]);
  });
  window.addEventListener("paste", (event) => take([...(event.clipboardData?.files ?? [])]));
  input.addEventListener("change", () => {
    take([...(input.files ?? [])]);
    input.value = ""; // the same photo may be chosen again
  });
}
