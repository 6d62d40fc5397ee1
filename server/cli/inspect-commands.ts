import { z } from 'zod';
import { followEvents } from '@/lib/api-client/follow';
import type * as rows from '@/lib/commands/rows/inspect';
import type { ArgsOf } from '@/lib/commands/types';
import { streamPageSchema } from '@/lib/protocol/api-events';
import { payloadSchema, timelineSchema, workflowMetricsSchema } from '@/lib/protocol/api-runs';
import { healthHistorySchema } from '@/lib/protocol/api-servers';
import { type StreamEvent, workflowEventSchema } from '@/lib/protocol/event';
import { scheduleTimesSchema } from '@/lib/protocol/schedule';
import { EXIT } from '@/server/cli/cli-error';
import type { CliContext } from '@/server/cli/context';
import { revealed } from '@/server/cli/reveal';
import { NODE_COLUMNS } from '@/server/cli/steps';
import { clean, timing } from '@/server/cli/style';
import type { Column } from '@/server/cli/table';

type Bar = z.infer<typeof timelineSchema>['items'][number];

function spent(bar: Bar, kinds: readonly Bar['segments'][number]['kind'][]): number {
  const now = Date.now();
  return bar.segments
    .filter((segment) => kinds.includes(segment.kind))
    .reduce((sum, segment) => sum + (segment.toMs ?? now) - segment.fromMs, 0);
}

/** `run timeline` */
export async function showTimeline(
  args: ArgsOf<typeof rows.runTimeline>,
  { api, output }: CliContext,
): Promise<number> {
  const timeline = await api.send('get', '/api/v1/runs/{runId}/timeline', {
    path: { runId: args.run },
    schema: timelineSchema,
  });
  const at = (bar: Bar) => (bar.segments[0]?.fromMs ?? timeline.startedMs) - timeline.startedMs;
  const columns: readonly Column<Bar>[] = [
    { title: 'STEP', value: (bar) => bar.path },
    { title: 'OUTCOME', value: (bar) => bar.outcome },
    { title: 'AT_MS', value: at, right: true },
    { title: 'RUNNING_MS', value: (bar) => spent(bar, ['running', 'compensating']), right: true },
    {
      title: 'WAITING_MS',
      value: (bar) => spent(bar, ['scheduled', 'waiting', 'unknown_outcome']),
      right: true,
    },
    { title: 'BACKOFF_MS', value: (bar) => spent(bar, ['backing_off']), right: true },
    { title: 'ATTEMPTS', value: (bar) => bar.attempts, right: true },
  ];
  await output.list(timeline.items, columns, timeline, 'No step was reached yet.');
  return EXIT.ok;
}

/** `run metrics` */
export async function showMetrics(
  args: ArgsOf<typeof rows.runMetrics>,
  { api, output }: CliContext,
): Promise<number> {
  const metrics = await api.send('get', '/api/v1/runs/{runId}/metrics', {
    path: { runId: args.run },
    schema: workflowMetricsSchema,
  });
  const servers = Object.entries(metrics.serverMetrics).map(([server, of]) => ({ server, ...of }));
  const columns: readonly Column<(typeof servers)[number]>[] = [
    { title: 'SERVER', value: (row) => row.server },
    { title: 'CALLS', value: (row) => row.callCount, right: true },
    { title: 'AVG_MS', value: (row) => Math.round(row.avgLatency * 10) / 10, right: true },
    { title: 'ERROR_RATE', value: (row) => row.errorRate, right: true },
    { title: 'LAST_CALL', value: (row) => row.lastCall },
  ];
  const { calls, errors, tokens, costUsd, bytesIn, bytesOut } = metrics.usage;
  const people = () => {
    output.line(
      `${metrics.status} for ${timing(metrics.duration)}, ${metrics.completedActivities.length} steps completed`,
    );
    output.line(
      `${calls} calls, ${errors} errors, ${bytesOut} bytes out, ${bytesIn} bytes in, ${tokens} tokens, ${costUsd} USD`,
    );
    output.table(servers, columns);
  };
  await output.record(metrics, people, servers, columns);
  return EXIT.ok;
}

/** `run step` */
export async function showStep(
  args: ArgsOf<typeof rows.runStep>,
  { api, output }: CliContext,
): Promise<number> {
  const node = await api.send('get', '/api/v1/runs/{runId}/payload', {
    path: { runId: args.run },
    query: { node: args.step, ...revealed(args) },
    schema: payloadSchema,
  });
  const people = () => {
    output.table([node], NODE_COLUMNS);
    output.line();
    output.line(output.paint('dim', 'input'));
    output.value(node.input);
    output.line(output.paint('dim', 'output'));
    output.value(node.output);
  };
  await output.record(node, people, [node], NODE_COLUMNS);
  return EXIT.ok;
}

/** `run event` */
export async function showEvent(
  args: ArgsOf<typeof rows.runEvent>,
  { api, output }: CliContext,
): Promise<number> {
  const event = await api.send('get', '/api/v1/runs/{runId}/events/{seq}', {
    path: { runId: args.run, seq: args.seq },
    query: revealed(args),
    schema: workflowEventSchema,
  });
  const people = () => {
    output.line(`${output.paint('bold', clean(event.type))}  ${event.seq}  ${event.at}`);
    output.value(event.data);
  };
  await output.record(
    event,
    people,
    [event],
    [
      { title: 'SEQ', value: (row) => row.seq },
      { title: 'AT', value: (row) => row.at },
      { title: 'TYPE', value: (row) => row.type },
      { title: 'DATA', value: (row) => JSON.stringify(row.data) },
    ],
  );
  return EXIT.ok;
}

/** `server health` */
export async function showServerHealth(
  args: ArgsOf<typeof rows.serverHealth>,
  { api, output }: CliContext,
): Promise<number> {
  const health = await api.send('get', '/api/v1/servers/{name}/health', {
    path: { name: args.server },
    schema: healthHistorySchema,
  });
  await output.list(
    health.reports,
    [
      { title: 'AT', value: (row) => row.at },
      { title: 'STATE', value: (row) => row.state, tone: (row) => (row.state === 'OPEN' ? 'ok' : 'danger') },
      { title: 'LATENCY_MS', value: (row) => Math.round(row.latencyMs * 10) / 10, right: true },
      { title: 'DETAIL', value: (row) => row.detail, show: (row) => row.detail ?? '' },
    ],
    health,
    'It was never asked; `server test` asks now.',
  );
  return EXIT.ok;
}

/** `schedule preview` */
export async function previewSchedule(
  args: ArgsOf<typeof rows.schedulePreview>,
  { api, output }: CliContext,
): Promise<number> {
  const { cron, every, offset, count } = args;
  const given = { cron, every, offset, timeZone: args['time-zone'] };
  const { times } = await api.send('post', '/api/v1/schedules/preview', {
    query: { count },
    body: Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    schema: scheduleTimesSchema,
  });
  await output.list(
    times,
    [{ title: 'TIME', value: (time: string) => time }],
    { times },
    'It would never run.',
  );
  return EXIT.ok;
}

const STREAM_COLUMNS: readonly Column<StreamEvent>[] = [
  { title: 'NUMBER', value: (row) => row.streamSeq, right: true },
  { title: 'AT', value: (row) => row.event.at },
  { title: 'RUN', value: (row) => row.event.runId },
  { title: 'TYPE', value: (row) => row.event.type },
  { title: 'DATA', value: (row) => JSON.stringify(row.event.data) },
];

/** `events`: one page, or with --follow until Ctrl-C. */
export async function listAllEvents(args: ArgsOf<typeof rows.events>, context: CliContext): Promise<number> {
  const { api, output, interrupt } = context;
  if (!args.follow) {
    const page = await api.send('get', '/api/v1/events', {
      query: { after: args.after, limit: args.limit ?? 100 },
      schema: streamPageSchema,
    });
    await output.list(page.items, STREAM_COLUMNS, page, 'No events.');
    return EXIT.ok;
  }
  await api.health();
  const onLost = () => output.note('warn', '⚠', 'Connection lost', 'trying to connect again');
  const onReset = ({ after, resumeAfter }: { after: number; resumeAfter: number }) =>
    output.note('warn', '⚠', 'Events left out', `${after + 1} to ${resumeAfter} are not kept any more`);
  const options = {
    signal: interrupt,
    onLost,
    onReset,
    ...(args.after === undefined ? {} : { after: args.after }),
  };
  let left = args.limit ?? Number.POSITIVE_INFINITY;
  for await (const event of followEvents(await api.typed(), options)) {
    const { at, runId, type, data } = event.event;
    const text = output.paint('dim', clean(JSON.stringify(data)));
    if (output.forPeople)
      output.line(`${String(event.streamSeq).padStart(6)}  ${at}  ${runId}  ${clean(type)}  ${text}`);
    else await output.streamed(event as StreamEvent, STREAM_COLUMNS);
    if (--left <= 0) break;
  }
  return EXIT.ok;
}

/** `openapi` */
export async function printOpenApi(_args: object, { api, output }: CliContext): Promise<number> {
  const document = await api.send('get', '/api/v1/openapi.json', {
    schema: z.looseObject({ openapi: z.string(), paths: z.record(z.string(), z.unknown()) }),
  });
  const paths = Object.keys(document.paths).map((path) => ({ path }));
  const people = () => output.text(JSON.stringify(document, null, 2));
  await output.record(document, people, paths, [{ title: 'PATH', value: (row) => row.path }]);
  return EXIT.ok;
}
