import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import type { StdioServerConfig } from '@/lib/protocol/server-config';
import { killOrphans } from '@/server/adapters/mcp/child-registry';
import type { McpFleetOptions } from '@/server/adapters/mcp/fleet';
import {
  afterTest,
  alive,
  failureOf,
  fixture,
  fleetOf,
  ORGANIZATION,
  ROOT,
  readLines,
  resultOf,
  tempDir,
  textOf,
  toolCall,
  until,
} from './mcp-fleet-support';

function bad(
  env: Record<string, string> = {},
  options: Partial<McpFleetOptions> = {},
  extra: Partial<StdioServerConfig> = {},
) {
  const servers = {
    bad: fixture('misbehaving-server.mjs', env, extra),
    good: fixture('slow-server.mjs', { LOG_FILE: path.join(tempDir(), 'log') }),
  };
  return fleetOf(servers, { connectTimeoutMs: 30_000, ...options });
}

const call = (tool: string, args = {}, extra = {}) =>
  toolCall('bad', tool, args, { timeoutMs: 30_000, ...extra });

describe('during a call, a server that', () => {
  it('hangs: times out, ambiguous, and the next call still works', async () => {
    const fleet = bad();
    resultOf(await fleet.call(call('ok')));
    expect(failureOf(await fleet.call(call('hang', {}, { timeoutMs: 500 })))).toMatchObject({
      code: 'TIMEOUT',
      ambiguous: true,
    });
    expect(textOf(await fleet.call(call('ok')))).toBe('fine');
  });

  it('dies: is noticed at once with its exit code and log, is started again, and others go on', async () => {
    const fleet = bad();
    const other = fleet.call(toolCall('good', 'slow_echo', { ms: 500, value: 'untouched' }));
    resultOf(await fleet.call(call('ok')));
    const failure = failureOf(await fleet.call(call('die')));
    // Not TIMEOUT: it was noticed, nobody waited for the end of the call's time.
    expect(failure).toMatchObject({
      code: 'NETWORK_ERROR',
      ambiguous: true,
      retriable: true,
      details: { log: 'fatal: out of luck' },
    });
    expect(failure.message).toContain('exit code 3');
    expect(textOf(await fleet.call(call('ok')))).toBe('fine');
    expect(textOf(await other)).toBe('untouched');
  });

  it('dies: fails every call in flight on it', async () => {
    const fleet = bad();
    resultOf(await fleet.call(call('ok')));
    const hanging = Array.from({ length: 5 }, () => fleet.call(call('hang')));
    await fleet.call(call('die'));
    for (const outcome of await Promise.all(hanging)) {
      expect(failureOf(outcome)).toMatchObject({ code: 'NETWORK_ERROR', ambiguous: true });
    }
  });

  it('leaves a helper process behind: the whole tree is ended', async () => {
    const helperLog = path.join(tempDir(), 'helper');
    const fleet = bad({ HELPER_LOG: helperLog });
    expect(failureOf(await fleet.call(call('die_with_helper'))).code).toBe('NETWORK_ERROR');
    const helper = Number(readLines(helperLog)[0]);
    expect(helper).toBeGreaterThan(1);
    await until(() => !alive(helper));
  });

  it('closes its output: is ended and the call fails', async () => {
    const fleet = bad({ KEEP_ALIVE: '1' });
    const failure = failureOf(await fleet.call(call('close_output')));
    expect(failure).toMatchObject({ code: 'NETWORK_ERROR', ambiguous: true });
    expect(failure.message).toContain('closed its output');
    expect(textOf(await fleet.call(call('ok')))).toBe('fine');
  });

  it('takes too much memory: is ended, the call fails and the next one works', async () => {
    const fleet = bad({}, {}, { memoryMb: 200 });
    const failure = failureOf(await fleet.call(call('eat', { megabytes: 400 }, { timeoutMs: 20_000 })));
    expect(failure).toMatchObject({ code: 'NETWORK_ERROR', ambiguous: true });
    expect(failure.message).toMatch(/ended by us: it held \d+ MB/);
    expect(textOf(await fleet.call(call('ok')))).toBe('fine');
  });

  it('writes nonsense: the answer still arrives and the nonsense is in the log', async () => {
    const fleet = bad();
    expect(textOf(await fleet.call(call('garbage')))).toBe('after the garbage');
    const logged = (await fleet.logs(ORGANIZATION, 'bad')).map((line) => `${line.stream}: ${line.text}`);
    expect(logged).toContain('stdout: Starting up...');
  });

  it('answers with too much: only that call fails', async () => {
    const fleet = bad({}, { maxMessageBytes: 200_000 });
    const [huge, fine] = await Promise.all([
      fleet.call(call('huge', { bytes: 5_000_000 })),
      fleet.call(call('ok')),
    ]);
    expect(failureOf(huge)).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', ambiguous: false, retriable: false });
    expect(textOf(fine)).toBe('fine');
    expect(resultOf(await fleet.call(call('huge', { bytes: 150_000 }))).bytesIn).toBeGreaterThan(150_000);
  });

  it('answers under wrong ids: times out', async () => {
    const fleet = bad();
    expect(failureOf(await fleet.call(call('wrong_id', {}, { timeoutMs: 500 }))).code).toBe('TIMEOUT');
  });

  it('answers with something that is no tool result: PROTOCOL_ERROR, not ambiguous', async () => {
    const fleet = bad();
    expect(failureOf(await fleet.call(call('wrong_shape')))).toMatchObject({
      code: 'PROTOCOL_ERROR',
      ambiguous: false,
    });
  });

  it('breaks its own output schema: INVALID_TOOL_RESULT with the place', async () => {
    const fleet = bad();
    expect(failureOf(await fleet.call(call('lies')))).toMatchObject({
      code: 'INVALID_TOOL_RESULT',
      ambiguous: false,
      details: { path: '/n' },
    });
  });

  it('floods: the answer arrives and others go on', async () => {
    const fleet = bad();
    await fleet.call(toolCall('good', 'slow_echo', { value: 'warm' }));
    const [flood, other] = await Promise.all([
      fleet.call(call('flood', {}, { timeoutMs: 20_000 })),
      fleet.call(toolCall('good', 'slow_echo', { value: 'untouched' })),
    ]);
    expect(textOf(flood)).toBe('after the flood');
    expect(textOf(other)).toBe('untouched');
    expect((await fleet.logs(ORGANIZATION, 'bad')).length).toBeLessThanOrEqual(500);
  });

  it('answers byte by byte: multi-byte characters stay whole', async () => {
    const fleet = bad();
    expect(textOf(await fleet.call(call('slow_bytes')))).toBe('späte Bytes ✓');
  });

  it('answers with a JSON-RPC error: mapped by its code', async () => {
    const fleet = bad();
    const code = async (rpc: number) => failureOf(await fleet.call(call('rpc_error', { code: rpc }))).code;
    expect(await code(-32603)).toBe('TOOL_ERROR');
    expect(await code(-32602)).toBe('INVALID_TOOL_ARGUMENTS');
    expect(await code(-32601)).toBe('PROTOCOL_ERROR');
  });

  it('answers isError: a result, not a failure', async () => {
    const fleet = bad();
    expect(resultOf(await fleet.call(call('tool_error'))).isError).toBe(true);
  });

  it('has an invalid input schema: the call goes through unchecked, with a note in the log', async () => {
    const fleet = bad();
    expect(textOf(await fleet.call(call('bad_schema', { a: 1 })))).toBe('fine');
    expect((await fleet.logs(ORGANIZATION, 'bad')).some((line) => line.text.includes('bad_schema'))).toBe(
      true,
    );
  });

  it('changes its tools: the list is read again', async () => {
    const fleet = bad();
    expect(failureOf(await fleet.call(call('added'))).code).toBe('TOOL_NOT_FOUND');
    expect(textOf(await fleet.call(call('change')))).toBe('changed');
    await until(async () => (await fleet.call(call('added'))).ok);
    expect((await fleet.inspect(ORGANIZATION, 'bad')).toolList.map((tool) => tool.name)).toContain('added');
  });
});

describe('while connecting, a server that', () => {
  it('crashes: SERVER_START_FAILED with its log, not ambiguous', async () => {
    const fleet = bad({ START: 'crash' });
    const failure = failureOf(await fleet.call(call('ok')));
    expect(failure).toMatchObject({
      code: 'SERVER_START_FAILED',
      ambiguous: false,
      details: { log: 'cannot open the database' },
    });
    await expect(fleet.inspect(ORGANIZATION, 'bad')).rejects.toMatchObject({ code: 'SERVER_START_FAILED' });
    const summary = (await fleet.list(ORGANIZATION)).find((server) => server.name === 'bad');
    expect(summary).toMatchObject({ status: 'failed' });
    expect(summary?.lastError).toContain('exit code 7');
  });

  it('never answers: TIMEOUT, not ambiguous, and its process is ended', async () => {
    const fleet = bad({ START: 'silent', KEEP_ALIVE: '1' }, { connectTimeoutMs: 500 });
    expect(failureOf(await fleet.call(call('ok', {}, { timeoutMs: 10_000 })))).toMatchObject({
      code: 'TIMEOUT',
      ambiguous: false,
    });
    await until(() => fleet.childPids().length === 0);
  });

  it('never answers: the timeout of the call counts from its start', async () => {
    const fleet = bad({ START: 'silent' }, { connectTimeoutMs: 60_000 });
    const started = performance.now();
    expect(failureOf(await fleet.call(call('ok', {}, { timeoutMs: 300 })))).toMatchObject({
      code: 'TIMEOUT',
      ambiguous: false,
    });
    expect(performance.now() - started).toBeLessThan(30_000);
  });

  it('exits at the probe for the newer protocol: is started again without it', async () => {
    const fleet = bad({ START: 'probe' });
    expect(textOf(await fleet.call(call('ok')))).toBe('fine');
    expect((await fleet.inspect(ORGANIZATION, 'bad')).protocolVersion).toBe('2025-06-18');
  });

  it('greets with lines that are not MCP, or is slow: connects', async () => {
    expect(textOf(await bad({ START: 'garbage' }).call(call('ok')))).toBe('fine');
    expect(textOf(await bad({ START: 'slow' }).call(call('ok')))).toBe('fine');
  });

  it('does not exist, or may not be run', async () => {
    const stdio = { type: 'stdio' as const, args: [], env: {} };
    const fleet = fleetOf(
      { absent: { ...stdio, command: 'oc-no-such-command' }, shell: { ...stdio, command: 'bash' } },
      { stdioCommands: ['oc-no-such-command'] },
    );
    expect(failureOf(await fleet.call(toolCall('absent', 'x')))).toMatchObject({
      code: 'SERVER_START_FAILED',
      ambiguous: false,
    });
    expect(failureOf(await fleet.call(toolCall('shell', 'x')))).toMatchObject({
      code: 'COMMAND_NOT_ALLOWED',
      retriable: false,
    });
  });
});

describe('after a kill -9 of our process', () => {
  /** A process of its own with a fleet in it, which prints the pid of its server and then waits. */
  async function hostWithServer(dataDir: string, env: Record<string, string>) {
    const outfile = path.join(dataDir, 'host.mjs');
    await build({
      stdin: {
        contents: `
          import { createMcpFleet } from '@/server/adapters/mcp/fleet';
          import { staticServerRegistry } from '@/server/services/fleet-config';
          const silent = { debug() {}, info() {}, warn() {} };
          const config = ${JSON.stringify(fixture('misbehaving-server.mjs', env))};
          const clock = { now: () => Date.now(), at: (at, run) => { const t = setTimeout(run, at - Date.now()); return () => clearTimeout(t); } };
          const fleet = createMcpFleet({ servers: staticServerRegistry('o', [{ name: 'bad', config }]), clock, log: silent,
            dataDir: ${JSON.stringify(dataDir)}, stdioCommands: ['node'], environment: process.env });
          await fleet.inspect('o', 'bad');
          console.log(fleet.childPids()[0]);
          setInterval(() => {}, 1000);`,
        resolveDir: ROOT,
        loader: 'ts',
      },
      bundle: true,
      platform: 'node',
      format: 'esm',
      alias: { '@': ROOT },
      outfile,
      // The bundle lies outside the project: packages are named by their place.
      banner: {
        js: `import { createRequire } from 'node:module'; const require = createRequire(${JSON.stringify(`${ROOT}x.js`)});`,
      },
      logLevel: 'error',
    });
    const host = spawn(process.execPath, [outfile], { stdio: ['ignore', 'pipe', 'inherit'] });
    afterTest(() => host.kill('SIGKILL'));
    const [line] = (await once(host.stdout, 'data')) as [Buffer];
    return { host, child: Number(line.toString()) };
  }

  it('an ordinary server ends by itself, a stubborn one is ended by the next start', async () => {
    const dataDir = tempDir();
    const ordinary = await hostWithServer(dataDir, {});
    const stubborn = await hostWithServer(dataDir, { KEEP_ALIVE: '1' });
    expect(killOrphans(dataDir)).toEqual([]);
    expect([alive(ordinary.child), alive(stubborn.child)]).toEqual([true, true]);
    for (const { host } of [ordinary, stubborn]) {
      host.kill('SIGKILL');
      await once(host, 'exit');
    }
    await until(() => !alive(ordinary.child));
    expect(alive(stubborn.child)).toBe(true);
    const ended = killOrphans(dataDir);
    expect(ended).toHaveLength(1);
    expect(ended[0]).toContain('misbehaving-server.mjs');
    await until(() => !alive(stubborn.child));
    expect(killOrphans(dataDir)).toEqual([]);
  });
});

describe('the fleet', () => {
  it('opens the breaker after five failures in a row and closes it after a good probe', async () => {
    const log = path.join(tempDir(), 'calls');
    const fleet = bad({ CALL_LOG: log }, { breaker: { halfOpenAfterMs: 2_000 } });
    const hang = () => fleet.call(call('hang', {}, { timeoutMs: 2_000 }));
    resultOf(await fleet.call(call('ok')));
    for (let n = 0; n < 5; n++) expect(failureOf(await hang()).code).toBe('TIMEOUT');
    const refused = failureOf(await fleet.call(call('ok')));
    expect(refused).toMatchObject({ code: 'CIRCUIT_OPEN', ambiguous: false, retriable: true });
    expect(refused.retryAt).toBeGreaterThan(Date.now());
    const { organizationId, server } = call('ok');
    expect(fleet.openCircuits()).toEqual([{ organizationId, server }]);
    await until(() => readLines(log).length === 6);
    await until(async () => (await fleet.call(call('ok'))).ok);
    expect(fleet.openCircuits()).toEqual([]);
    expect(textOf(await fleet.call(call('ok')))).toBe('fine');
  });

  it('does not count errors of tools or wrong arguments against the server', async () => {
    const fleet = bad();
    for (let n = 0; n < 8; n++) {
      await fleet.call(call('tool_error'));
      await fleet.call(call('rpc_error', { code: -32603 }));
      await fleet.call(call('huge', { bytes: 'many' }));
    }
    expect(textOf(await fleet.call(call('ok')))).toBe('fine');
  });

  it('shares one process between calls that arrive together, and closes it when idle', async () => {
    const fleet = bad({}, { idleMs: 200 });
    const pids = await Promise.all(Array.from({ length: 8 }, () => fleet.call(call('pid'))));
    expect(new Set(pids.map(textOf)).size).toBe(1);
    await until(() => fleet.childPids().length === 0);
    expect(textOf(await fleet.call(call('pid')))).not.toBe(textOf(pids[0] as never));
  });

  it('does not close a connection in use, however long the call takes', async () => {
    const fleet = fleetOf({ slow: fixture('slow-server.mjs') }, { idleMs: 100 });
    expect(textOf(await fleet.call(toolCall('slow', 'slow_echo', { ms: 600, value: 'still here' })))).toBe(
      'still here',
    );
  });

  it('keeps to the concurrency limit, first come first served', async () => {
    const log = path.join(tempDir(), 'log');
    const fleet = fleetOf({ slow: fixture('slow-server.mjs', { LOG_FILE: log }, { concurrency: 2 }) });
    await Promise.all(
      Array.from({ length: 6 }, (_, n) =>
        fleet.call(toolCall('slow', 'slow_echo', { ms: 60, value: `${n}` })),
      ),
    );
    const events = readLines(log).map((line) => JSON.parse(line) as { event: string; value: string });
    let running = 0;
    for (const { event } of events) {
      running += event === 'start' ? 1 : -1;
      expect(running).toBeLessThanOrEqual(2);
    }
    expect(events.filter(({ event }) => event === 'start').map(({ value }) => value)).toEqual([
      '0',
      '1',
      '2',
      '3',
      '4',
      '5',
    ]);
  });

  it('keeps to the rate limit', async () => {
    const fleet = fleetOf({
      slow: fixture('slow-server.mjs', {}, { rateLimit: { perSecond: 20, burst: 2 } }),
    });
    await fleet.inspect(ORGANIZATION, 'slow');
    const started = performance.now();
    await Promise.all(
      Array.from({ length: 8 }, () => fleet.call(toolCall('slow', 'slow_echo', { value: 'x' }))),
    );
    expect(performance.now() - started).toBeGreaterThan(250);
  });

  it('a call whose turn under the rate limit comes after its time was never sent', async () => {
    const rateLimit = { perSecond: 0.01, burst: 1 };
    const fleet = fleetOf({ slow: fixture('slow-server.mjs', {}, { rateLimit }) });
    resultOf(await fleet.call(toolCall('slow', 'slow_echo', { value: 'x' })));
    const hurried = await fleet.call(toolCall('slow', 'slow_echo', { value: 'x' }, { timeoutMs: 50 }));
    expect(failureOf(hurried)).toMatchObject({ code: 'TIMEOUT', ambiguous: false });
  });

  it('a call that times out while it queues was never sent', async () => {
    const fleet = fleetOf({ slow: fixture('slow-server.mjs', {}, { concurrency: 1 }) });
    const first = fleet.call(toolCall('slow', 'slow_write', { ms: 800, value: 'a' }));
    const second = await fleet.call(toolCall('slow', 'slow_write', { value: 'b' }, { timeoutMs: 100 }));
    expect(failureOf(second)).toMatchObject({ code: 'TIMEOUT', ambiguous: false });
    expect(textOf(await first)).toBe('a');
  });

  it('leaks no process and no descriptor over many broken connections', async () => {
    const fleet = bad();
    const descriptors = () =>
      execFileSync('ls', [`/proc/${process.pid}/fd`])
        .toString()
        .split('\n').length;
    resultOf(await fleet.call(call('ok')));
    const before = descriptors();
    for (let n = 0; n < 3; n++) failureOf(await fleet.call(call('die', {}, { timeoutMs: 8000 })));
    resultOf(await fleet.call(call('ok')));
    await until(() => fleet.childPids().length === 1 && descriptors() <= before + 2);
  });
});
