"""Source -> Source with a Clip. The contract is `backend.MakeSound`; `synth` is the embedded voice of everything."""
