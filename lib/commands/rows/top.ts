import { defineCommand } from '@/lib/commands/types';

/** By what the servers of `top` can be ordered. */
export const TOP_SORTS = ['calls', 'latency', 'errors', 'name'] as const;

/** The live screen. */
export const top = defineCommand({
  code: 'TOP',
  name: 'top',
  keywords: ['live', 'monitor', 'dashboard', 'load', 'fleet', 'throughput'],
  summary: 'Watch servers and runs live',
  help:
    'A screen that redraws itself: servers with state, calls and errors a second, latency and breaker; runs by state, starts a second and ' +
    'the latest failures; waiting commands and the lag of the event stream. Keys: c, l, e and n sort the servers, q quits. Without a ' +
    'terminal, or with --once, it prints one frame; with --json or --output json one JSON line a frame.',
  args: [],
  flags: [
    {
      name: 'interval',
      type: 'duration',
      min: 200,
      max: 3_600_000,
      summary: 'Time between two frames (1s).',
    },
    { name: 'sort', type: 'enum', values: TOP_SORTS, summary: 'Order of the servers (calls).' },
    { name: 'once', type: 'boolean', summary: 'Print one frame and stop.' },
    { name: 'frames', type: 'integer', min: 1, summary: 'Stop after this many frames.' },
  ],
  objects: ['server', 'run'],
  role: 'viewer',
  surfaces: ['cli'],
  output: 'stream',
  examples: [
    { line: 'top', does: 'The live screen.' },
    { line: 'top --once --output json', does: 'One frame for a program.' },
  ],
});
