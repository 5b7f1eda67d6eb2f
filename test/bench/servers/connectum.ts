import { main } from "./app-connectum.ts";
import { answerQuestions } from "./host.ts";

answerQuestions(await main());
