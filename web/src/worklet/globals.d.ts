// The worklet's global scope, which TypeScript's DOM library does not describe.
declare const sampleRate: number;
declare const currentTime: number;
/** Frames of a render quantum, where the browser says so. */
declare var renderQuantumSize: number | undefined;

declare class AudioWorkletProcessor {
  readonly port: MessagePort;
  constructor(options?: { processorOptions?: unknown });
}

declare function registerProcessor(
  name: string,
  processor: new (options: { processorOptions: never }) => AudioWorkletProcessor & {
    process(inputs: Float32Array[][], outputs: Float32Array[][]): boolean;
  },
): void;
