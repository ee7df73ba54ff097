// Loaded into the worklet's scope before the shipped worklet: its engine, with a visitor who walks and turns (60 messages
// a second) or stands still, under the name "bench".
{
  const register = globalThis.registerProcessor;
  globalThis.registerProcessor = (name, Processor) => {
    if (name !== "sonoworld-engine") return;
    class Walking extends Processor {
      blocks = 0;
      walks;

      constructor(options) {
        super(options);
        this.walks = options.processorOptions.walks;
      }

      process(inputs, outputs) {
        if (this.walks && this.blocks++ % 6 === 0) {
          const t = (this.blocks * 128) / 48000;
          const pose = { position: [Math.cos(t), Math.sin(t), 0], yaw: (Math.PI / 2) * t, pitch: 0.2 * Math.sin(t) };
          this.port.onmessage({ data: { kind: "pose", pose } });
        }
        return super.process(inputs, outputs);
      }
    }
    register("bench", Walking);
  };
}
