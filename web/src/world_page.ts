// A world that is entered: the visitor, what they see and hear, and the panels around it, moved on frame by frame.
import type { Pose } from "./geometry";
import { Places } from "./places";
import { openControls } from "./scene/controls";
import type { Stage } from "./scene/stage";
import type { Terrain } from "./scene/terrain";
import { Visit } from "./scene/visit";
import { remoteness, type Ground } from "./scene/walker";
import { saveSettings, type Settings } from "./settings";
import type { Ears } from "./sound/ears";
import { levelsAt } from "./sound/presence";
import { openBar } from "./ui/bar";
import { openLayers, type Layers } from "./ui/layers";
import { showLevels } from "./ui/meter";
import { openMixer, type Mixer } from "./ui/mixer";
import { part } from "./ui/page";
import { openPanel, type Panel } from "./ui/panel";
import { openSettingsPanel } from "./ui/settings_panel";
import type { World } from "./world";

const READ_OUT_S = 0.2;
const METER_MS = 120;

export class WorldPage {
  readonly visit: Visit;
  private ears: Ears | null = null;
  private sinceReadOut = READ_OUT_S;
  /** While the ears are told of other sources, gains would go to the wrong ones. */
  private recasts = 0;
  private hushed = false;
  /** A level that somebody is trying out, not saved: which source, and by how much its gain differs. */
  private trial: { readonly id: string; readonly factor: number } | null = null;
  private readonly ground: Ground;
  private places: Places;
  private mixer: Mixer;
  private layers: Layers;
  private panel: Panel;
  private readonly bar;
  private readonly settingsPanel;
  private readonly controls = openControls(part("world", HTMLCanvasElement), part("stick", HTMLElement));

  constructor(
    private shown: World,
    terrain: Terrain | null,
    private readonly stage: Stage,
    private readonly settings: Settings,
  ) {
    const world = shown;
    document.title = `${world.title} · sonoworld`;
    part("title", HTMLElement).textContent = world.title;
    this.ground = { centre: world.start.position, comfortableRadiusM: world.comfortableRadiusM, terrain };
    this.places = new Places(world.sources);
    this.visit = new Visit(world.start, this.ground, (pose) => this.show(pose));
    this.mixer = openMixer(world.sources, () => this.mixed());
    this.layers = openLayers(world, this.places, this.ground, settings);
    this.panel = this.openList();
    this.bar = openBar(() => this.visit.home());
    this.settingsPanel = this.openSettings();
    this.openHeadset();
    window.addEventListener("resize", () => this.show(this.visit.pose));
  }

  /** The sound is ready, or there is none; `facts` are lines for people. */
  hear(ears: Ears | null, facts: readonly string[]): void {
    this.ears = ears;
    ears?.setGains(this.mixer.gains());
    ears?.watch(this.layers.show());
    this.show(this.visit.pose);
    this.bar.ready(ears);
    this.settingsPanel.ready(ears);
    const sound = ears?.kind === "binaural" ? `Sound at ${ears.context.sampleRate / 1000} kHz` : ears?.simplified;
    this.settingsPanel.facts([...facts, sound ?? "No sound"]);
  }

  get world(): World {
    return this.shown;
  }

  /** What sounds has changed: shown at once, heard once it is loaded. What a visitor muted stays muted. */
  async change(world: World): Promise<void> {
    this.shown = world;
    this.trial = null;
    this.places = new Places(world.sources);
    this.mixer = openMixer(world.sources, () => this.mixed(), this.mixer);
    this.layers = openLayers(world, this.places, this.ground, this.settings);
    this.panel = this.openList();
    this.places.update(this.ears?.context.currentTime ?? 0);
    this.show(this.visit.pose);
    this.recasts++;
    try {
      await this.ears?.recast(world, () => this.gains());
    } finally {
      this.recasts--;
    }
    this.mixed();
  }

  /** Silence in the world while something else is listened to. */
  hush(on: boolean): void {
    this.hushed = on;
    this.mixed();
  }

  /** How a source would sound at another level; null ends it. */
  tryLevel(level: { readonly id: string; readonly levelDb: number } | null): void {
    const source = this.world.sources.find((one) => one.id === level?.id);
    this.trial = level && source ? { id: source.id, factor: 10 ** ((level.levelDb - source.levelDb) / 20) } : null;
    this.mixed();
  }

  /** Visitor and sources move; a few times a second the numbers are shown. */
  frame(seconds: number): void {
    const { ears, layers, mixer, places } = this;
    if (this.stage.headset.active) this.ride(seconds);
    else this.visit.advance(this.controls.take(), seconds);
    if (places.move) {
      places.update(ears?.context.currentTime ?? 0);
      ears?.setPlaces(places);
      layers.update(this.head(), mixer.silent);
    }
    layers.draw(this.head(), () => this.levels(), performance.now() / 1000);
    this.sinceReadOut += seconds;
    if (this.sinceReadOut < READ_OUT_S) return;
    this.sinceReadOut = 0;
    this.readOut();
  }

  head(): Pose {
    const { headset } = this.stage;
    return headset.active ? headset.head() : this.visit.pose;
  }

  private show(pose: Pose): void {
    this.stage.setPose(pose);
    const head = this.head();
    this.ears?.setPose(head);
    this.layers.update(head, this.mixer.silent);
    this.bar.edge(remoteness(head.position, this.ground));
  }

  private gains(): number[] {
    const factor = (id: string): number => (this.hushed ? 0 : this.trial?.id === id ? this.trial.factor : 1);
    return this.mixer.gains().map((gain, i) => gain * factor(this.world.sources[i]?.id ?? ""));
  }

  private openList(): Panel {
    return openPanel(part("sources", HTMLElement), this.world, this.places, {
      mixer: this.mixer,
      look: (place) => this.visit.look(place),
      go: (place) => this.visit.go(place),
    });
  }

  private mixed(): void {
    if (!this.recasts) this.ears?.setGains(this.gains());
    this.panel.refresh();
    this.layers.update(this.head(), this.mixer.silent);
  }

  private readOut(): void {
    const head = this.head();
    this.panel.update(head);
    if (this.ears) showLevels(part("meter", HTMLElement), this.ears.levels(METER_MS));
    if (this.layers.needLevels) this.layers.hear(head, this.levels(), performance.now() / 1000);
  }

  private levels(): number[] {
    const heard = { playing: this.ears?.playing ?? null, silent: this.mixer.silent };
    return levelsAt(this.world, this.places, this.head().position, heard);
  }

  private openSettings(): ReturnType<typeof openSettingsPanel> {
    const { world, settings } = this;
    return openSettingsPanel(world, settings, {
      hearing: () => {
        saveSettings(settings);
        void this.ears?.wear({ ...settings });
      },
      layers: () => {
        saveSettings(settings);
        this.ears?.watch(this.layers.show());
        this.layers.update(this.head(), this.mixer.silent);
      },
      volume: (linear) => this.ears?.setVolume(linear),
    });
  }

  private openHeadset(): void {
    const { headset } = this.stage;
    this.bar.headset(headset);
    headset.onChange((active) => {
      document.body.classList.toggle("worn", active);
      this.show(this.visit.pose);
    });
  }

  /** The body walks and turns by sticks, the device moves the head; a turn is about the head, wherever in the room. */
  private ride(seconds: number): void {
    const { visit, stage } = this;
    const before = stage.headset.head().position;
    const intent = stage.headset.take(visit.pose.yaw);
    visit.advance(intent, seconds);
    if (intent.look.yaw) {
      const after = stage.headset.head().position;
      const [x, y, z] = visit.pose.position;
      visit.jump({ ...visit.pose, position: [x + before[0] - after[0], y + before[1] - after[1], z] });
    } else {
      this.show(visit.pose);
    }
  }
}
