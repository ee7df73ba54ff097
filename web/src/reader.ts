// A value of world.json, read as what it must be. The file may come from anybody: every number, text and file name is
// checked here, and what does not fit is an error that names the field.
import type { Vec3 } from "./geometry";
import { addressOf } from "./inline";

const MAX_TEXT = 4000;
const FILE_NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/;

export class WorldError extends Error {}

export class Reader {
  constructor(
    private readonly value: unknown,
    private readonly path: string,
    private readonly origin = "world.json",
  ) {}

  fail(expected: string): never {
    throw new WorldError(`${this.origin}: ${this.path}: expected ${expected}`);
  }

  at(key: string): Reader {
    if (typeof this.value !== "object" || this.value === null || Array.isArray(this.value)) this.fail("an object");
    return new Reader((this.value as Record<string, unknown>)[key], `${this.path}.${key}`, this.origin);
  }

  list(limit: number): Reader[] {
    if (!Array.isArray(this.value) || this.value.length > limit) this.fail(`a list of at most ${limit}`);
    return this.value.map((item: unknown, i) => new Reader(item, `${this.path}[${i}]`, this.origin));
  }

  number(low = -1e9, high = 1e9): number {
    const { value } = this;
    if (typeof value !== "number" || !(value >= low && value <= high)) this.fail(`a number in ${low}..${high}`);
    return value;
  }

  whole(low: number, high: number): number {
    const value = this.number(low, high);
    if (!Number.isInteger(value)) this.fail(`a whole number in ${low}..${high}`);
    return value;
  }

  numbers(limit: number): Float64Array {
    return Float64Array.from(this.list(limit), (item) => item.number());
  }

  text(): string {
    if (typeof this.value !== "string" || this.value.length > MAX_TEXT) this.fail(`at most ${MAX_TEXT} characters`);
    return this.value;
  }

  flag(): boolean {
    if (typeof this.value !== "boolean") this.fail("true or false");
    return this.value;
  }

  /** Where a file that is named is fetched from. */
  file(): string {
    const name = this.text();
    if (!FILE_NAME.test(name)) this.fail("a plain file name inside this world");
    return addressOf(name);
  }

  vec3(): Vec3 {
    const [x, y, z, ...more] = this.list(3).map((item) => item.number());
    if (x === undefined || y === undefined || z === undefined || more.length) this.fail("three numbers");
    return [x, y, z];
  }

  optional<T>(read: (reader: Reader) => T): T | null {
    return this.value === null || this.value === undefined ? null : read(this);
  }
}
