import { eventPageSchema } from '@/lib/protocol/api';
import { listEventsQuerySchema, listStreamQuerySchema, streamPageSchema } from '@/lib/protocol/api-events';
import { AppError } from '@/lib/protocol/errors';
import { type Operation, operation, text } from '@/server/adapters/http/operation';
import { eventStream, resumeAfter } from '@/server/adapters/http/sse';
import type { Log } from '@/server/ports/log';
import type { RunEventFeed } from '@/server/services/run-event-feed';
import type { RunService } from '@/server/services/run-service';
import { resumeAfterOf, type StreamFeed } from '@/server/services/stream-feed';

export interface EventOperationDeps {
  runs: RunService;
  feed: RunEventFeed;
  stream: StreamFeed;
  log: Log;
}

/** Entries read at once for a stream. */
const PAGE = 200;

const CLOSING = /^WORKFLOW_EXECUTION_(COMPLETED|FAILED|TIMED_OUT|CANCELED|TERMINATED|CONTINUED_AS_NEW)$/;

const SSE =
  'With `follow` they come as server-sent events: `id` is the number to go on behind (Last-Event-ID, or `after`), `data` is one ' +
  'entry as JSON. Comments keep the connection open; `event: problem` tells an error before the stream ends.';

/** Events of a run and of the whole organisation: pages, long polls and streams. */
export function eventOperations({ runs, feed, stream, log }: EventOperationDeps): Operation[] {
  return [
    operation({
      id: 'listRunEvents',
      tag: 'events',
      method: 'GET',
      path: '/api/v1/runs/{runId}/events',
      summary: "Read a run's history behind a seq; wait for more, or follow it.",
      description: `\`waitMs\` holds the answer until there is a first event (long poll). ${SSE} When the run has closed and all is told, \`event: end\` follows; from then on the answer is 204, which tells browsers not to connect again.`,
      permission: 'executions:read',
      query: listEventsQuerySchema,
      headers: ['Last-Event-ID'],
      answers: {
        200: {
          description: 'One page, or a stream.',
          content: { 'application/json': eventPageSchema, 'text/event-stream': null },
        },
        204: { description: 'The run has closed and there is nothing behind Last-Event-ID.' },
      },
      errors: ['RUN_NOT_FOUND'],
      handle: async ({ actor, params, query, headers, signal }) => {
        const runId = text(params, 'runId');
        const { limit, waitMs } = query;
        if (query.follow === undefined) {
          const items = await feed.read(actor, runId, query.after, limit, waitMs, signal, query.reveal);
          const nextCursor = items.length === limit ? String(items.at(-1)?.seq) : null;
          return { status: 200, body: { items, nextCursor } };
        }
        if (query.reveal)
          throw new AppError('INVALID_INPUT', 'A stream shows nothing that is sensitive.', {
            path: '/reveal',
          });
        const after = resumeAfter(headers, query.after);
        const endOf = async (seen: number) => {
          const row = await runs.get(actor, runId);
          return row.closedAt !== null && seen >= row.historyLength ? { runId, status: row.status } : null;
        };
        if (after > 0 && (await endOf(after)) !== null) return { status: 204, body: null };
        await runs.get(actor, runId);
        return eventStream(
          {
            read: async (from, wait, until) => {
              const items = await feed.read(actor, runId, from, PAGE, wait, until);
              return items.map((data) => ({ id: data.seq, data }));
            },
            // A run that is given up closes without an event, so an idle one is looked at now and then too.
            ended: async (seen, last) => {
              const type = (last?.data as { type?: string } | undefined)?.type;
              return last === undefined || CLOSING.test(type ?? '') ? endOf(seen) : null;
            },
          },
          after,
          signal,
          log,
        );
      },
    }),
    operation({
      id: 'listEvents',
      tag: 'events',
      method: 'GET',
      path: '/api/v1/events',
      summary: 'Read or follow the events of every run of the organisation, by stream number.',
      description: `Numbers count 1, 2, 3 … without gaps. Old entries are dropped with the runs they tell of; a page ends before such a hole. Asked for what is behind that number, the answer is 410 \`STREAM_TRIMMED\` with \`resumeAfter\` in \`problems\`, and a stream sends \`event: reset\` with it and goes on there; read the lists anew then. Payloads over 16 KB are left out (\`{"truncated":true}\`): read the event itself. ${SSE} Without \`after\` and Last-Event-ID a stream begins with what happens next.`,
      permission: 'executions:read',
      query: listStreamQuerySchema,
      headers: ['Last-Event-ID'],
      answers: {
        200: {
          description: 'One page, or a stream.',
          content: { 'application/json': streamPageSchema, 'text/event-stream': null },
        },
      },
      errors: ['STREAM_TRIMMED'],
      handle: async ({ actor, query, headers, signal }) => {
        const { topic, limit, waitMs } = query;
        if (query.follow === undefined) {
          // A page that ends before entries that are gone is not the last one: the next answer says where to go on.
          let next: number | null = null;
          const passed = (seq: number, isCut: boolean) => {
            next = isCut ? seq : null;
          };
          const items = await stream.read(actor, topic, query.after ?? 0, limit, waitMs, signal, passed);
          if (items.length === limit) next = items.at(-1)?.streamSeq ?? null;
          const nextCursor = next === null ? null : String(next);
          return { status: 200, body: { items, nextCursor } };
        }
        const head = await stream.head(actor, topic);
        const after = resumeAfter(headers, query.after) ?? head;
        if (after > head) {
          const message = `The stream has ${head} entries; ${after} is not one of them.`;
          throw new AppError('INVALID_INPUT', message, { path: '/after' });
        }
        let passed = after;
        return eventStream(
          {
            read: async (from, wait, until) => {
              try {
                const behind = Math.max(from, passed);
                const items = await stream.read(actor, topic, behind, PAGE, wait, until, (seq) => {
                  passed = seq;
                });
                return items.map((data) => ({ id: data.streamSeq, data }));
              } catch (error) {
                const resumeAfter = resumeAfterOf(error);
                if (resumeAfter === null) throw error;
                // Told once, with the number to go on behind: a reader that connects again does not ask for the hole again.
                return [{ id: resumeAfter, event: 'reset', data: { after: from, resumeAfter } }];
              }
            },
          },
          after,
          signal,
          log,
        );
      },
    }),
  ];
}
