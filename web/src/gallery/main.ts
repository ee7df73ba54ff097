// The gallery: worlds, a place to drop photos, and how far the photos are.
import { openDrop } from "./drop";
import { element, part } from "./element";
import { JobList } from "./jobs";
import { drop, follow, retry, send, worlds, type Job } from "./server";
import { showWorlds } from "./worlds";

const say = part("said", HTMLElement);
const problems = part("problems", HTMLElement);
const sending = part("sending", HTMLElement);
const cards = part("worlds", HTMLElement);
let states = new Map<string, Job["state"]>();

const jobs = new JobList(part("jobs", HTMLElement), {
  drop: (job) => {
    attempt(drop(job));
    part("photos", HTMLInputElement).focus(); // the row goes, and focus would go with it
  },
  retry: (job) => attempt(retry(job)),
});

async function look(): Promise<void> {
  const found = await worlds();
  showWorlds(cards, found);
  part("empty", HTMLElement).hidden = found.length > 0;
}

function changed(now: Job[]): void {
  jobs.show(now);
  for (const job of now) {
    if (states.size && states.get(job.id) === job.state) continue;
    if (job.state === "done") say.textContent = `${job.title} is ready to walk in`;
    if (job.state === "failed") say.textContent = `${job.title} did not become a world`;
  }
  const before = states;
  states = new Map(now.map((job) => [job.id, job.state]));
  const finished = now.some((job) => job.state === "done" && before.get(job.id) !== "done");
  if (finished || now.length < before.size) attempt(look());
}

async function take(photos: File[]): Promise<void> {
  problems.replaceChildren();
  for (const photo of photos) {
    const bar = element("progress", { max: "1", "aria-label": `Sending ${photo.name}` });
    const line = element("li", {}, element("b", {}, photo.name), element("p", { class: "said" }, "sending"), bar);
    sending.append(line);
    try {
      await send(photo, (fraction) => {
        bar.value = fraction;
      });
      say.textContent = `${photo.name} waits for its turn`;
    } catch (error) {
      complain(error);
    } finally {
      line.remove();
    }
  }
}

function complain(error: unknown): void {
  problems.append(element("p", {}, error instanceof Error ? error.message : String(error)));
}

function attempt(work: Promise<void>): void {
  work.catch(complain);
}

openDrop(part("zone", HTMLElement), part("photos", HTMLInputElement), (photos) => attempt(take(photos)));
follow(changed, (connected) => {
  part("away", HTMLElement).hidden = connected;
  if (connected) attempt(look());
});
