// A listening study: who, a headphone check, pairs of sounds for one picture, and a file of answers to save.
// Nothing is sent. Answers are kept in the browser until they are saved, so that a closed tab loses nothing.
"use strict";

const plan = window.PLAN;
const root = document.getElementById("page");
const media = (name) => `media/${name}`;
let state = null;
let playing = null; // what is heard now: { audio, video, button }

function element(tag, content = {}, ...inside) {
  const { on = {}, ...attributes } = content;
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null) made.setAttribute(name, value);
  }
  for (const [name, run] of Object.entries(on)) made.addEventListener(name, run);
  made.append(...inside);
  return made;
}

function show(title, ...inside) {
  stop();
  const heading = element("h1", { tabindex: "-1" }, title);
  root.replaceChildren(heading, ...inside);
  heading.focus();
}

function stop() {
  if (!playing) return;
  playing.audio.pause();
  if (playing.video) playing.video.pause();
  playing.button.setAttribute("aria-pressed", "false");
  playing = null;
}

// Plays a sound from its start, with the film if there is one; `done` once it was heard to its end.
function play(file, button, video, done) {
  stop();
  const audio = new Audio(media(file));
  const mine = { audio, video, button };
  playing = mine;
  button.setAttribute("aria-pressed", "true");
  audio.addEventListener("ended", () => {
    if (playing !== mine) return;
    stop();
    done();
  });
  audio.addEventListener("error", () => failed(`${file} cannot be played.`));
  if (video) video.currentTime = 0;
  Promise.all([audio.play(), video ? video.play() : null]).catch((error) => {
    if (playing === mine) failed(String(error));
  });
}

function failed(why) {
  show("Something went wrong", element("p", {}, `${why} Please reload the page: nothing is lost.`));
}

const shelf = (listener) => `study-${plan.study}-${listener}`;

function remember() {
  try {
    localStorage.setItem(shelf(state.listener), JSON.stringify(state));
  } catch {
    // private windows keep nothing; the study goes on without
  }
}

function recalled(listener) {
  try {
    const kept = JSON.parse(localStorage.getItem(shelf(listener)));
    return kept && kept.study === plan.study ? kept : null;
  } catch {
    return null;
  }
}

function welcome() {
  const count = plan.listeners.length;
  const asked = new URLSearchParams(location.search).get("listener");
  const number = element("input", { type: "number", min: "1", max: String(count), id: "who", value: asked || "", required: true });
  const begin = (event) => {
    event.preventDefault();
    const listener = Number(number.value);
    state = recalled(listener) || {
      format: plan.format, study: plan.study, listener, begun: new Date().toISOString(), checks: [], answers: [],
    };
    onwards();
  };
  show(
    plan.title,
    element("p", {}, `${plan.listeners[0].length} times you will see a scene with two sounds, A and B. Please say which fits better.`),
    element("p", {}, "Please wear headphones, the right way round. Set the volume so that the first noise is comfortable, and leave it there."),
    element("form", { on: { submit: begin } },
      element("p", {}, element("label", { for: "who" }, `Your number, 1 to ${count}: `), number),
      element("button", { type: "submit", class: "go", id: "begin" }, "Begin")),
    element("p", { class: "quiet" }, "Nothing is sent anywhere. At the end you save a file with your answers."),
  );
}

function onwards() {
  remember();
  if (state.checks.length < plan.checks.length) check(state.checks.length);
  else if (state.answers.length < plan.listeners[state.listener - 1].length) trial(state.answers.length);
  else finish();
}

function check(index) {
  const { kind, file } = plan.checks[index];
  const names = kind === "ear" ? ["Left", "Right"] : ["First", "Second", "Third"];
  const question = kind === "ear"
    ? "In which ear do you hear the noise?"
    : "You will hear three noises. In one of them there is a faint tone. In which?";
  const choices = names.map((name, k) => element("button", {
    type: "button", disabled: true, id: `choice-${k}`,
    on: { click: () => { state.checks.push(k); onwards(); } },
  }, name));
  const heard = () => choices.forEach((choice) => { choice.disabled = false; });
  show(
    `Headphones: ${index + 1} of ${plan.checks.length}`,
    element("p", {}, question),
    element("div", { class: "row" }, element("button", {
      type: "button", class: "go", id: "play", on: { click: (event) => play(file, event.currentTarget, null, heard) },
    }, "Play")),
    element("div", { class: "row" }, ...choices),
  );
}

function picture(file) {
  if (/\.(mp4|webm)$/.test(file)) {
    const film = element("video", { src: media(file), playsinline: true, preload: "auto", loop: true });
    film.muted = true;
    return film;
  }
  return element("img", { src: media(file), alt: "the scene" });
}

function trial(index) {
  const { seen, sounds } = plan.listeners[state.listener - 1][index];
  const total = plan.listeners[state.listener - 1].length;
  const view = picture(seen);
  const film = view.tagName === "VIDEO" ? view : null;
  const begun = performance.now();
  const plays = [0, 0];
  const choices = {};
  const next = element("button", { type: "button", class: "go", id: "next", disabled: true, on: { click: () => {
    const seconds = Math.round((performance.now() - begun) / 100) / 10;
    state.answers.push({ choices, plays, seconds });
    onwards();
  } } }, "Next");
  const pressed = [];
  const settle = () => {
    const both = plays[0] > 0 && plays[1] > 0;
    pressed.forEach((button) => { button.disabled = !both; });
    next.disabled = !both || Object.keys(choices).length < Object.keys(plan.criteria).length;
  };
  const players = ["A", "B"].map((name, k) => element("button", {
    type: "button", id: `play-${k}`,
    on: { click: (event) => {
      const button = event.currentTarget;
      play(sounds[k], button, film, () => { plays[k] += 1; button.textContent = `Play ${name} ✓`; settle(); });
    } },
  }, `Play ${name}`));
  const questions = Object.entries(plan.criteria).map(([criterion, question]) => {
    const pair = ["A", "B"].map((name, k) => element("button", {
      type: "button", id: `${criterion}-${k}`, "aria-pressed": "false", disabled: true,
      on: { click: () => {
        choices[criterion] = k;
        pair.forEach((button, i) => button.setAttribute("aria-pressed", String(i === k)));
        settle();
      } },
    }, name));
    pressed.push(...pair);
    return element("fieldset", {}, element("legend", {}, question), element("div", { class: "row" }, ...pair));
  });
  show(
    `Pair ${index + 1} of ${total}`,
    element("progress", { max: String(total), value: String(index), "aria-label": "how far you are" }),
    view,
    element("div", { class: "row" }, ...players),
    element("p", { class: "quiet" }, "Hear both to their end, as often as you like."),
    element("div", { class: "questions" }, ...questions),
    element("div", { class: "row" }, next),
  );
}

function finish() {
  const done = { ...state, ended: state.ended || new Date().toISOString() };
  state = done;
  remember();
  const save = () => {
    const file = new Blob([JSON.stringify(done, null, 1)], { type: "application/json" });
    const link = element("a", { href: URL.createObjectURL(file), download: `answers-${plan.study}-${done.listener}.json` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };
  show(
    "Thank you!",
    element("p", {}, "Please save your answers, and send the file to whoever asked you."),
    element("div", { class: "row" }, element("button", { type: "button", class: "go", id: "save", on: { click: save } }, "Save answers")),
  );
}

welcome();
