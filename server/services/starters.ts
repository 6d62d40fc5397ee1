import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Actor } from '@/lib/protocol/actor';
import { isAppError } from '@/lib/protocol/errors';
import type { Log } from '@/server/ports/log';
import type { WorkflowService } from '@/server/services/workflow-service';

/**
 * Publishes the starter workflows that the organisation does not have yet. One that exists is never touched: it may
 * have been changed by its users.
 */
export async function publishStarters(
  workflows: WorkflowService,
  actor: Actor,
  folder: string,
  log: Log,
): Promise<void> {
  const files = (await readdir(folder).catch(() => [])).filter((file) => file.endsWith('.yaml')).sort();
  const known = new Set((await workflows.list(actor)).map((workflow) => workflow.name));
  for (const file of files) {
    const definition: unknown = parse(await readFile(join(folder, file), 'utf8'));
    const { name } = definition as { name?: string };
    if (name && known.has(name)) continue;
    try {
      await workflows.publish(actor, definition);
    } catch (error) {
      // A starter is an offer: one that is not valid must not keep the rest from starting.
      const details = isAppError(error) ? error.details : undefined;
      log.error('publish_starter', { file, error: String(error), details });
    }
  }
}
