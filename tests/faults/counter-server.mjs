// The oracle's witness: an MCP server over stdio that writes down every start and every end of a call, with its
// idempotency key and its input, before it answers. What really took place can be counted afterwards, whoever was killed.
//   COUNTER_LOG    file for the lines (JSON, one object a line)
//   COUNTER_STATE  folder with one file a key: how often fail_n_times was asked
import { createHash } from 'node:crypto';
import { appendFileSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { z } from 'zod';

const log = process.env.COUNTER_LOG;
const state = process.env.COUNTER_STATE;
mkdirSync(state, { recursive: true });
const parent = process.ppid;

function note(what, tool, key, input) {
  appendFileSync(
    log,
    `${JSON.stringify({ what, tool, key, input, at: Date.now(), pid: process.pid, caller: parent })}\n`,
  );
}

const keyOf = (ctx) => ctx.mcpReq._meta?.['ai.openconductor/idempotencyKey'] ?? '';

/** How often this key was asked, this time included; counts over all processes. */
function count(key) {
  const file = join(state, createHash('sha256').update(key).digest('hex'));
  appendFileSync(file, '.');
  return statSync(file).size;
}

const wait = (ms, signal) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(new Error('cancelled'));
    });
  });

const answer = (value, key) => ({
  content: [{ type: 'text', text: String(value) }],
  structuredContent: { value, key },
});

const fields = { value: z.string(), at: z.string().optional(), ms: z.number().optional() };
const outputSchema = z.object({ value: z.string(), key: z.string() });

/** A tool that takes effect in the instant between its two lines' end: `done` is the effect. */
function counting(tool) {
  return async (input, ctx) => {
    const key = keyOf(ctx);
    note('start', tool, key, input);
    if (input.ms) await wait(input.ms, ctx.mcpReq.signal);
    note('done', tool, key, input);
    return answer(input.value, key);
  };
}

serveStdio(() => {
  const server = new McpServer({ name: 'counter', version: '1.0.0' });
  const safe = { idempotentHint: true, destructiveHint: false };
  const register = (name, annotations, extra, handler) =>
    server.registerTool(
      name,
      {
        description: `${name}, counted.`,
        inputSchema: z.object({ ...fields, ...extra }),
        outputSchema,
        annotations,
      },
      handler,
    );
  register('count', safe, {}, counting('count'));
  register('undo', safe, {}, counting('undo'));
  register('count_unsafe', {}, {}, counting('count_unsafe'));
  register('fail_n_times', safe, { n: z.number() }, async (input, ctx) => {
    const key = keyOf(ctx);
    note('start', 'fail_n_times', key, input);
    if (count(key) <= input.n) {
      note('fail', 'fail_n_times', key, input);
      return { isError: true, content: [{ type: 'text', text: 'It fails, as it was told to.' }] };
    }
    note('done', 'fail_n_times', key, input);
    return answer(input.value, key);
  });
  register('big', safe, { bytes: z.number() }, async (input, ctx) => {
    const key = keyOf(ctx);
    note('start', 'big', key, input);
    note('done', 'big', key, input);
    return answer('x'.repeat(input.bytes), key);
  });
  register('poison', safe, {}, async (input, ctx) => {
    note('start', 'poison', keyOf(ctx), input);
    // The process that called, unless it is gone already.
    if (parent > 1 && process.ppid === parent) process.kill(parent, 'SIGKILL');
    await wait(60_000, ctx.mcpReq.signal);
    return answer(input.value, keyOf(ctx));
  });
  return server;
});
