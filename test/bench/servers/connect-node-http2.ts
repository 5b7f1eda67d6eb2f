import { main } from "./app-connect-node.ts";
import { answerQuestions } from "./host.ts";

answerQuestions(await main());
