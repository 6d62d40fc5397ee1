import type { RunStatus } from '@/lib/protocol/run';
import { GLYPHS } from '@/lib/theme/glyphs';
import { RUN_LOOKS } from '@/lib/theme/status';
import { cell, type Span } from '@/server/cli/spans';
import { type Tone, timing } from '@/server/cli/style';
import type { TopFrame, TopServer, TopSort } from '@/server/cli/top-frame';

/** States that are always shown, in this order. */
const STATES: readonly RunStatus[] = [
  'running',
  'paused',
  'compensating',
  'failed',
  'timed_out',
  'dead_letter',
];
const STATUS_TONES: Record<TopServer['status'], Tone> = {
  connected: 'ok',
  connecting: 'active',
  idle: 'dim',
  disabled: 'dim',
  failed: 'danger',
};
/** Lines of failures that are kept free when the servers would fill the screen. */
const FAILURE_LINES = 5;

const number = (value: number | null, digits = 0) => (value === null ? '–' : value.toFixed(digits));
const percent = (value: number | null) => (value === null ? '–' : `${(value * 100).toFixed(1)}%`);

/** The lines of one frame; `rows` is how many fit on the screen, 0 = all of them. */
export function topLines(frame: TopFrame, url: string, sort: TopSort, rows: number): Span[][] {
  const head = headLines(frame, url);
  const failures = failureLines(frame);
  const servers = frame.servers.map(serverLine);
  const keys: Span[] = [['dim', `sorted by ${sort}   c calls  l latency  e errors  n name  q quit`]];
  if (rows === 0) return [...head, heading(), ...servers, [], ...failures];
  const kept = Math.min(failures.length, FAILURE_LINES + 1);
  const space = Math.max(1, rows - head.length - kept - 3);
  const shown = servers.slice(0, servers.length > space ? space - 1 : space);
  const hidden = servers.length - shown.length;
  const more: Span[][] = hidden > 0 ? [[['dim', `… ${hidden} more servers`]]] : [];
  return [...head, heading(), ...shown, ...more, [], ...failures.slice(0, kept), keys].slice(0, rows);
}

function headLines(frame: TopFrame, url: string): Span[][] {
  const runs = STATES.flatMap((status): Span[] => {
    const count = frame.runs[status];
    if (count === undefined) return [];
    const look = RUN_LOOKS[status];
    const tone = count.n === 0 ? 'dim' : look.token;
    return [
      [tone, `${GLYPHS[look.glyph].char} ${look.label.toLowerCase()} ${count.n}${count.more ? '+' : ''}`],
      '   ',
    ];
  });
  const late = (frame.inbox.oldestSeconds ?? 0) > 30 || (frame.inbox.depth ?? 0) > 10_000;
  const stream: Span = frame.streaming ? ['ok', 'live'] : ['warn', 'polling: the stream is broken'];
  return [
    [
      ['bold', 'openconductor top'],
      `  ${url}  ${frame.version}  up ${timing(frame.uptimeMs)}  ${frame.at.slice(11, 19)} UTC  `,
      stream,
    ],
    [
      'runs    ',
      ...runs,
      `${number(frame.startsPerSecond, 1)} starts/s   ${number(frame.eventsPerSecond, 1)} events/s`,
    ],
    [
      'queues  ',
      [late ? 'warn' : 'text', `${number(frame.inbox.depth)} commands waiting`],
      ` (oldest ${number(frame.inbox.oldestSeconds, 1)} s)   ${number(frame.queueDepth)} activities   `,
      [(frame.relay.lagSeconds ?? 0) > 5 ? 'warn' : 'text', `${number(frame.relay.backlog)} events behind`],
      ` (lag ${number(frame.relay.lagSeconds, 1)} s)`,
    ],
    [],
  ];
}

function heading(): Span[] {
  const text = `${cell('SERVER', 24)}  ${cell('STATE', 10)}  ${cell('BREAKER', 9)}  ${cell('CALLS/S', 8, true)}  ${cell('CALLS', 8, true)}  ${cell('ERRORS', 7, true)}  ${cell('P50 MS', 8, true)}  ${cell('P95 MS', 8, true)}  LAST ERROR`;
  return [['dim', text]];
}

function serverLine(row: TopServer): Span[] {
  const breaker: Tone = row.breaker === 'open' ? 'danger' : row.breaker === 'half-open' ? 'warn' : 'dim';
  const errors: Tone = (row.errorRate ?? 0) > 0 ? 'danger' : 'text';
  return [
    `${cell(row.name, 24)}  `,
    [STATUS_TONES[row.status], cell(row.status, 10)],
    '  ',
    [breaker, cell(row.breaker ?? '–', 9)],
    `  ${cell(number(row.callsPerSecond, 1), 8, true)}  ${cell(String(row.calls), 8, true)}  `,
    [errors, cell(percent(row.errorRate), 7, true)],
    `  ${cell(number(row.p50Ms, 1), 8, true)}  ${cell(number(row.p95Ms, 1), 8, true)}  `,
    ['dim', row.lastError ?? ''],
  ];
}

function failureLines({ failures }: TopFrame): Span[][] {
  if (failures.length === 0) return [[['dim', 'no failures']]];
  const rows = failures.map((row): Span[] => [
    `${(row.closedAt ?? '').slice(11, 19) || '–       '}  `,
    [RUN_LOOKS[row.status].token, cell(RUN_LOOKS[row.status].code, 4)],
    `  ${cell(row.workflow, 28)}  ${row.runId}  `,
    ['danger', row.code ?? ''],
  ]);
  return [[['dim', 'LATEST FAILURES']], ...rows];
}
