import { FIELD, LIMITER } from "../sound/messages";
import { FieldProcessor } from "./field_processor";
import { LimiterProcessor } from "./limiter_processor";

registerProcessor(FIELD, FieldProcessor);
registerProcessor(LIMITER, LimiterProcessor);
