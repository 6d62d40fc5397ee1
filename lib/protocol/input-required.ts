import { z } from 'zod';

/** What a server asks for in the middle of a call, and what people answer. `key` names a request within its round. */
export const inputRequestSchema = z.discriminatedUnion('kind', [
  z.object({
    key: z.string(),
    kind: z.literal('form'),
    message: z.string(),
    schema: z.record(z.string(), z.json()).describe('Flat JSON Schema of the fields.'),
  }),
  z.object({ key: z.string(), kind: z.literal('url'), message: z.string(), url: z.string() }),
  z.object({
    key: z.string(),
    kind: z.literal('sampling'),
    params: z.record(z.string(), z.json()).describe('As in sampling/createMessage.'),
  }),
]);

/** A round of questions. */
export const inputRequiredSchema = z.object({
  requests: z.array(inputRequestSchema),
  requestState: z.string().optional().describe('Opaque; goes back to the server with the answers.'),
  durable: z
    .boolean()
    .describe('True when nothing is held open meanwhile; false for a question inside an open request.'),
  answered: z.record(z.string(), z.record(z.string(), z.json())).optional(),
  taskId: z.string().optional().describe('The task of the server that asks.'),
});
export type InputRequiredBody = z.infer<typeof inputRequiredSchema>;

/** The answer to one request. `result` is for sampling: a CreateMessageResult. */
export const inputAnswerSchema = z.discriminatedUnion('action', [
  z.strictObject({ action: z.literal('accept'), content: z.record(z.string(), z.json()).optional() }),
  z.strictObject({ action: z.literal('decline') }),
  z.strictObject({ action: z.literal('cancel') }),
  z.strictObject({ action: z.literal('result'), result: z.record(z.string(), z.json()) }),
]);
export type InputAnswerBody = z.infer<typeof inputAnswerSchema>;

/** A round and its answers. */
export interface AnsweredRound {
  input: InputRequiredBody;
  answers: Record<string, InputAnswerBody>;
}

/** What a call is taken up again with. */
export interface CallResume extends AnsweredRound {
  /** Questions that the same call asked before this one, in order: kept for a call that has to be made again. */
  earlier?: AnsweredRound[];
}
