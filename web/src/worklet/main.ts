import { ENGINE, LIMITER } from "../sound/messages";
import { EngineProcessor } from "./engine_processor";
import { LimiterProcessor } from "./limiter_processor";

registerProcessor(ENGINE, EngineProcessor);
registerProcessor(LIMITER, LimiterProcessor);
