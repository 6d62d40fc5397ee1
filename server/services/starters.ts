import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Actor } from '@/lib/protocol/actor';
import type { WorkflowDefinition } from '@/lib/protocol/definition';
import { isAppError } from '@/lib/protocol/errors';
import type { Log } from '@/server/ports/log';
import { serversOf, type WorkflowService } from '@/server/services/workflow-service';

/** The files of the starters in a folder, sorted; none when there is no such folder. */
export async function starterFiles(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(() => [])).filter((file) => file.endsWith('.yaml')).sort();
}

/** The definition in one of these files; it is not checked. @throws when the file is no YAML */
export async function readStarter(folder: string, file: string): Promise<WorkflowDefinition> {
  return parse(await readFile(join(folder, file), 'utf8')) as WorkflowDefinition;
}

/**
 * Publishes the starter workflows that the organisation does not have yet. One that exists is never touched: it may have
 * been changed by its users. One whose servers are not set up here is left out until they are.
 */
export async function publishStarters(
  workflows: Pick<WorkflowService, 'list' | 'publish'>,
  actor: Actor,
  folder: string,
  configured: ReadonlySet<string>,
  log: Log,
): Promise<void> {
  const known = new Set((await workflows.list(actor)).map((workflow) => workflow.name));
  const publish = async (file: string): Promise<void> => {
    try {
      const definition = await readStarter(folder, file);
      if (known.has(definition.name)) return;
      const lacking = serversOf(definition).filter((server) => !configured.has(server));
      if (lacking.length > 0) log.debug('skip_starter', { file, lacking });
      // Version 0: only while there is none, also when a neighbour starts at the same moment.
      else await workflows.publish(actor, definition, 0);
    } catch (error) {
      if (isAppError(error) && error.code === 'VERSION_CONFLICT') return;
      // A starter is an offer: one that is not valid must not keep the rest from starting.
      const details = isAppError(error) ? error.details : undefined;
      log.error('publish_starter', { file, error: String(error), details });
    }
  };
  await Promise.all((await starterFiles(folder)).map(publish));
}
