import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { createMcpFleet } from '@/server/adapters/mcp/fleet';
import { loadFleetConfig, seedWorkspace, staticServerRegistry } from '@/server/services/fleet-config';
import {
  afterTest,
  alive,
  clock,
  failureOf,
  ORGANIZATION,
  ROOT,
  resultOf,
  silent,
  tempDir,
  textOf,
  toolCall,
  until,
} from './mcp-fleet-support';

/** The servers that come with the package, from the configuration file that comes with it. */
function bundled() {
  const dataDir = tempDir();
  const workspace = path.join(dataDir, 'workspace');
  seedWorkspace(path.join(ROOT, 'workspace'), workspace);
  const servers = loadFleetConfig(path.join(ROOT, 'openconductor.config.json'), {
    workspace,
    dataDir,
    packageRoots: [ROOT],
    environment: {},
  });
  const fleet = createMcpFleet({
    servers: staticServerRegistry(ORGANIZATION, servers),
    clock,
    log: silent,
    dataDir,
    stdioCommands: ['node'],
    environment: process.env,
  });
  afterTest(() => fleet.close());
  return { fleet, dataDir, workspace };
}

describe('the bundled servers', () => {
  it('filesystem reads the sample documents by relative path and keeps to its folder', async () => {
    const { fleet } = bundled();
    const read = await fleet.call(toolCall('filesystem', 'read_text_file', { path: 'welcome.md' }));
    expect(textOf(read)).toContain('Northwind Robotics');
    expect(resultOf(read).structuredContent).toMatchObject({
      content: expect.stringContaining('Ada Verhoeven'),
    });
    const outside = resultOf(
      await fleet.call(toolCall('filesystem', 'read_text_file', { path: '/etc/passwd' })),
    );
    expect(outside.isError).toBe(true);
    expect((await fleet.tool(ORGANIZATION, 'filesystem', 'read_text_file')).annotations.readOnlyHint).toBe(
      true,
    );
    expect(failureOf(await fleet.call(toolCall('filesystem', 'read_text_file', {}))).details).toMatchObject({
      path: '/path',
    });
  });

  it('memory stores entities in its file and finds them again after a restart of the server', async () => {
    const { fleet, dataDir } = bundled();
    const entities = [
      { name: 'Northwind Robotics', entityType: 'company', observations: ['has an office in Rotterdam'] },
    ];
    resultOf(await fleet.call(toolCall('memory', 'create_entities', { entities })));
    expect(readFileSync(path.join(dataDir, 'memory.jsonl'), 'utf8')).toContain('Northwind Robotics');
    const [pid] = fleet.childPids();
    process.kill(Number(pid), 'SIGKILL');
    await until(() => fleet.childPids().length === 0);
    const found = await fleet.call(toolCall('memory', 'search_nodes', { query: 'Rotterdam' }));
    expect(resultOf(found).structuredContent).toMatchObject({ entities });
  });

  it('everything reports progress, images, links and structured content', async () => {
    const { fleet } = bundled();
    const progress: Array<{ progress: number; total?: number }> = [];
    const long = toolCall(
      'everything',
      'trigger-long-running-operation',
      { duration: 1, steps: 4 },
      {
        onProgress: (update) => progress.push(update),
      },
    );
    expect(textOf(await fleet.call(long))).toContain('Long running operation completed');
    expect(progress.map((update) => update.progress)).toEqual([1, 2, 3, 4]);
    const image = resultOf(await fleet.call(toolCall('everything', 'get-tiny-image')));
    expect(image.content).toContainEqual(expect.objectContaining({ type: 'image', mimeType: 'image/png' }));
    const links = resultOf(await fleet.call(toolCall('everything', 'get-resource-links', { count: 2 })));
    expect(links.content.filter((part) => (part as { type: string }).type === 'resource_link')).toHaveLength(
      2,
    );
    const weather = resultOf(
      await fleet.call(toolCall('everything', 'get-structured-content', { location: 'Chicago' })),
    );
    expect(weather.structuredContent).toMatchObject({ temperature: expect.any(Number) });
    expect(textOf(await fleet.call(toolCall('everything', 'get-sum', { a: 2, b: 40 })))).toContain('42');
  });

  it('sequential-thinking takes thoughts', async () => {
    const { fleet } = bundled();
    const thought = { thought: 'one', nextThoughtNeeded: false, thoughtNumber: 1, totalThoughts: 1 };
    const result = resultOf(await fleet.call(toolCall('sequential-thinking', 'sequentialthinking', thought)));
    expect(result.isError).toBe(false);
  });

  it('get a small environment, and leave nothing behind', async () => {
    process.env.OC_TEST_SECRET = 'do not pass on';
    afterTest(() => delete process.env.OC_TEST_SECRET);
    const { fleet, dataDir } = bundled();
    const env = textOf(await fleet.call(toolCall('everything', 'get-env')));
    expect(env).toContain('PATH');
    expect(env).not.toContain('OC_TEST_SECRET');
    const detail = await fleet.inspect(ORGANIZATION, 'everything');
    expect(detail).toMatchObject({ status: 'connected', protocolVersion: '2025-11-25' });
    expect(detail.toolList.length).toBeGreaterThan(8);
    const pids = fleet.childPids();
    expect(pids).toHaveLength(1);
    expect(existsSync(path.join(dataDir, 'run', 'children', `${pids[0]}.json`))).toBe(true);
    await fleet.close();
    expect(pids.filter(alive)).toEqual([]);
    expect(existsSync(path.join(dataDir, 'run', 'children', `${pids[0]}.json`))).toBe(false);
  });
});
