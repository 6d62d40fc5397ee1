import { pageSchema } from '@/lib/protocol/api';
import {
  bulkOperationSchema,
  createBulkBodySchema,
  listBulkQuerySchema,
  readBulkQuerySchema,
} from '@/lib/protocol/bulk';
import { answers, idempotencyKey, type Operation, operation, text } from '@/server/adapters/http/operation';
import type { BulkService } from '@/server/services/bulk-service';

const BASE = '/api/v1/bulk-operations';
const tag = 'bulk';

/** Operations on bulk operations: one command to many runs. */
export function bulkOperations(bulk: BulkService): Operation[] {
  return [
    operation({
      id: 'listBulkOperations',
      tag,
      method: 'GET',
      path: BASE,
      summary: 'List bulk operations, newest first.',
      description: 'Without the `ids` of their filters; `named` tells how many there are.',
      permission: 'executions:read',
      query: listBulkQuerySchema,
      answers: answers(200, 'The newest ones with their progress.', pageSchema(bulkOperationSchema)),
      errors: [],
      handle: async ({ actor, query }) => ({
        status: 200,
        body: { items: await bulk.list(actor, query.limit), nextCursor: null },
      }),
    }),
    operation({
      id: 'createBulkOperation',
      tag,
      method: 'POST',
      path: BASE,
      summary: 'Pause, resume, cancel, terminate, signal or retry every run that fits a filter.',
      description:
        'Runs that fit now are dealt with in the background, in chunks; read the operation to see how far it is. ' +
        'Without `ids` only open runs fit. `retry` starts the next run of the chain of closed runs that were not taken up again ' +
        'yet: those that failed, timed out or went to dead-letter, unless `status` says which. With `dryRun` the runs are only counted. ' +
        'The same Idempotency-Key gives the same operation.',
      permission: 'executions:control',
      body: createBulkBodySchema,
      contents: ['/signal/payload'],
      headers: ['Idempotency-Key'],
      answers: {
        ...answers(200, 'A dry run: how many runs fit.', bulkOperationSchema),
        ...answers(202, 'It is written down and will be carried out.', bulkOperationSchema, ['Location']),
      },
      errors: ['WORKFLOW_NOT_FOUND'],
      handle: async ({ actor, body, headers }) => {
        const made = await bulk.create(actor, body, idempotencyKey(headers));
        if (made.bulkId === null) return { status: 200, body: made };
        return { status: 202, body: made, headers: { location: `${BASE}/${made.bulkId}` } };
      },
    }),
    operation({
      id: 'getBulkOperation',
      tag,
      method: 'GET',
      path: `${BASE}/{bulkId}`,
      summary: 'Read a bulk operation and its progress.',
      permission: 'executions:read',
      query: readBulkQuerySchema,
      answers: answers(200, 'The operation.', bulkOperationSchema),
      errors: ['BULK_NOT_FOUND'],
      handle: async ({ actor, params, query }) => ({
        status: 200,
        body: await bulk.get(actor, text(params, 'bulkId'), query.ids),
      }),
    }),
    operation({
      id: 'cancelBulkOperation',
      tag,
      method: 'POST',
      path: `${BASE}/{bulkId}/cancel`,
      summary: 'End a bulk operation early; runs that have the command keep it.',
      permission: 'executions:control',
      answers: answers(200, 'The operation as it is now.', bulkOperationSchema),
      errors: ['BULK_NOT_FOUND'],
      handle: async ({ actor, params }) => ({
        status: 200,
        body: await bulk.cancel(actor, text(params, 'bulkId')),
      }),
    }),
  ];
}
