import { z } from 'zod';
import { approversSchema } from '@/lib/protocol/definition-common';
import { by, entry, epochMs, eventFailure, MARKER, nodePath, reason } from '@/lib/protocol/events-common';

const index = z.int().min(0).describe('Iteration, from 0.');

/** Events about nodes that are not calls: control flow, waiting, people. */
export const NODE_EVENTS = {
  NODE_STARTED: entry(
    'engine',
    MARKER,
    'A container, or a wait, begins.',
    z.object({
      nodePath,
      items: z.array(z.json()).optional().describe('for-each: the list, as it was at this moment.'),
      signal: z.string().optional().describe('wait: name of the awaited signal.'),
    }),
  ),
  NODE_COMPLETED: entry(
    'engine',
    MARKER,
    'A node other than a call completed (a call completes with ACTIVITY_TASK_COMPLETED).',
    z.object({
      nodePath,
      output: z.json(),
      port: z.string().optional().describe('Port by which the run goes on, where it is not the plain one.'),
      seeded: z.boolean().optional().describe('The result was taken over from the run before.'),
    }),
  ),
  NODE_FAILED: entry(
    'engine',
    MARKER,
    'A node failed for good.',
    z.object({
      nodePath,
      failure: eventFailure,
      handled: z.boolean().describe('True when an error route, a join or onError takes care of it.'),
    }),
  ),
  NODES_SKIPPED: entry(
    'engine',
    MARKER,
    'These nodes lie on a dead path and will never run.',
    z.object({ nodePaths: z.array(nodePath) }),
  ),
  NODES_CANCELED: entry(
    'engine',
    MARKER,
    'These nodes were given up, and with them what went on inside them.',
    z.object({
      nodePaths: z.array(nodePath),
      scopes: z.array(z.string()).describe('Graph instances that are closed by this.'),
      reason,
    }),
  ),
  BRANCH_COMPLETED: entry(
    'engine',
    MARKER,
    'A branch of a parallel node completed.',
    z.object({ nodePath, branch: z.string(), output: z.json() }),
  ),
  BRANCH_FAILED: entry(
    'engine',
    MARKER,
    'A branch of a parallel node failed.',
    z.object({ nodePath, branch: z.string(), failure: eventFailure }),
  ),
  LOOP_ITERATION_STARTED: entry(
    'engine',
    MARKER,
    'An iteration of a loop begins.',
    z.object({ nodePath, index }),
  ),
  LOOP_ITERATION_COMPLETED: entry(
    'engine',
    MARKER,
    'An iteration of a loop completed.',
    z.object({ nodePath, index, output: z.json() }),
  ),
  LOOP_ITERATION_FAILED: entry(
    'engine',
    MARKER,
    'An iteration of a loop failed.',
    z.object({ nodePath, index, failure: eventFailure }),
  ),
  APPROVAL_REQUESTED: entry(
    'engine',
    MARKER,
    'People are asked to decide.',
    z.object({
      approvalId: z.string(),
      nodePath,
      title: z.string(),
      description: z.string().optional(),
      approvers: approversSchema.optional(),
      quorum: z.int(),
      form: z.record(z.string(), z.json()).optional(),
      subject: z.json().optional().describe('What a call would be made with, when the approval guards one.'),
      deadline: epochMs.optional(),
    }),
  ),
  APPROVAL_DECIDED: entry(
    'host',
    MARKER,
    'One person decided.',
    z.object({
      approvalId: z.string(),
      decision: z.enum(['approve', 'reject']),
      by: z.string(),
      roles: z.array(z.string()).optional().describe('Roles of that person, as the door knew them.'),
      comment: z.string().optional(),
      form: z.json().optional(),
    }),
  ),
  APPROVAL_ESCALATED: entry(
    'engine',
    MARKER,
    'Nobody decided in time: more people may.',
    z.object({ approvalId: z.string(), nodePath, approvers: approversSchema }),
  ),
  APPROVAL_CLOSED: entry(
    'engine',
    MARKER,
    'The question is settled.',
    z.object({
      approvalId: z.string(),
      nodePath,
      outcome: z.enum(['approved', 'rejected', 'expired', 'cancelled']),
      by,
    }),
  ),
} as const;
