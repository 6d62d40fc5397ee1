import { defineCommand } from '@/lib/commands/types';
import { SHARE_LEVELS } from '@/lib/protocol/permissions';

const WORKFLOW = {
  name: 'workflow',
  type: 'string',
  summary: 'Name of the workflow.',
  object: 'workflow',
} as const;
const VIEW = { name: 'view', type: 'string', summary: 'Name or id of the view.', object: 'view' } as const;
const WITH = {
  name: 'with',
  type: 'list',
  placeholder: 'WHOM,…',
  summary: 'user:EMAIL, team:NAME or everyone.',
} as const;
const LEVEL = {
  name: 'level',
  type: 'enum',
  values: SHARE_LEVELS,
  summary: 'What they may: read, write or admin; read when left out.',
} as const;

/** Who reaches a workflow, beside what roles say. */
export const workflowSharing = defineCommand({
  code: 'WSHG',
  name: 'workflow sharing',
  aliases: ['workflow shares'],
  keywords: ['access', 'who', 'permissions', 'restricted'],
  summary: 'Show who reaches a workflow',
  help: 'Its restriction and its shares. Without either, roles alone decide.',
  args: [WORKFLOW],
  flags: [],
  objects: ['workflow'],
  role: 'viewer',
  surfaces: ['cli'],
  output: 'record',
  examples: [{ line: 'workflow sharing nightly', does: 'Who reaches it.' }],
});

/** Share a workflow. */
export const workflowShare = defineCommand({
  code: 'WSHR',
  name: 'workflow share',
  aliases: [],
  keywords: ['access', 'grant', 'team', 'permissions'],
  summary: 'Share a workflow with people or teams',
  help:
    'read: see it and its runs. write: also start and control runs, answer their tasks, publish versions. admin: also change ' +
    'who reaches it. ' +
    'It adds to what their role gives them, on this workflow alone; a share that is there already gets the level.',
  args: [WORKFLOW],
  flags: [WITH, LEVEL],
  objects: ['workflow'],
  role: 'admin',
  surfaces: ['cli'],
  output: 'record',
  examples: [
    {
      line: 'workflow share nightly --with user:ann@example.com,team:ops --level write',
      does: 'Ann and a team may work with it.',
    },
  ],
});

/** Take shares of a workflow away. */
export const workflowUnshare = defineCommand({
  code: 'WUSH',
  name: 'workflow unshare',
  aliases: [],
  keywords: ['access', 'revoke', 'team', 'permissions'],
  summary: 'Take shares of a workflow away',
  help: 'What their role gives them stays, unless the workflow is restricted.',
  args: [WORKFLOW],
  flags: [WITH],
  objects: ['workflow'],
  role: 'admin',
  surfaces: ['cli'],
  output: 'record',
  examples: [
    {
      line: 'workflow unshare nightly --with user:ann@example.com',
      does: 'Ann has what her role gives her.',
    },
  ],
});

/** Restrict a workflow. */
export const workflowRestrict = defineCommand({
  code: 'WRES',
  name: 'workflow restrict',
  aliases: [],
  keywords: ['access', 'private', 'hide', 'secret'],
  summary: 'Let only those reach a workflow with whom it is shared',
  help: 'Its creator and administrators reach it still. To all others it does not exist, nor do its runs.',
  args: [WORKFLOW],
  flags: [],
  objects: ['workflow'],
  role: 'admin',
  surfaces: ['cli'],
  output: 'record',
  examples: [{ line: 'workflow restrict nightly', does: 'Only by shares.' }],
});

/** End the restriction of a workflow. */
export const workflowUnrestrict = defineCommand({
  code: 'WUNR',
  name: 'workflow unrestrict',
  aliases: [],
  keywords: ['access', 'open', 'public'],
  summary: 'Let roles decide about a workflow again',
  help: 'Its shares stay.',
  args: [WORKFLOW],
  flags: [],
  objects: ['workflow'],
  role: 'admin',
  surfaces: ['cli'],
  output: 'record',
  examples: [{ line: 'workflow unrestrict nightly', does: 'Roles decide again.' }],
});

/** Who reaches a view, beside what roles say. */
export const viewSharing = defineCommand({
  code: 'VSHG',
  name: 'view sharing',
  aliases: ['view shares'],
  keywords: ['access', 'who', 'permissions', 'restricted'],
  summary: 'Show who reaches a view',
  help: 'Its restriction and its shares. Without either, roles alone decide.',
  args: [VIEW],
  flags: [],
  objects: ['view'],
  role: 'viewer',
  surfaces: ['cli'],
  output: 'record',
  examples: [{ line: 'view sharing failures', does: 'Who reaches it.' }],
});

/** Share a view. */
export const viewShare = defineCommand({
  code: 'VSHR',
  name: 'view share',
  aliases: [],
  keywords: ['access', 'grant', 'team', 'permissions'],
  summary: 'Share a view with people or teams',
  help:
    'read: see it. write: also change it. admin: also remove it and change who reaches it. ' +
    'It adds to what their role gives them, on this view alone; a share that is there already gets the level.',
  args: [VIEW],
  flags: [WITH, LEVEL],
  objects: ['view'],
  role: 'admin',
  surfaces: ['cli'],
  output: 'record',
  examples: [
    {
      line: 'view share failures --with user:ann@example.com,team:ops --level write',
      does: 'Ann and a team may work with it.',
    },
  ],
});

/** Take shares of a view away. */
export const viewUnshare = defineCommand({
  code: 'VUSH',
  name: 'view unshare',
  aliases: [],
  keywords: ['access', 'revoke', 'team', 'permissions'],
  summary: 'Take shares of a view away',
  help: 'What their role gives them stays, unless the view is restricted.',
  args: [VIEW],
  flags: [WITH],
  objects: ['view'],
  role: 'admin',
  surfaces: ['cli'],
  output: 'record',
  examples: [
    { line: 'view unshare failures --with user:ann@example.com', does: 'Ann has what her role gives her.' },
  ],
});

/** Restrict a view. */
export const viewRestrict = defineCommand({
  code: 'VRES',
  name: 'view restrict',
  aliases: [],
  keywords: ['access', 'private', 'hide', 'secret'],
  summary: 'Let only those reach a view with whom it is shared',
  help: 'Its creator and administrators reach it still. To all others it does not exist.',
  args: [VIEW],
  flags: [],
  objects: ['view'],
  role: 'admin',
  surfaces: ['cli'],
  output: 'record',
  examples: [{ line: 'view restrict failures', does: 'Only by shares.' }],
});

/** End the restriction of a view. */
export const viewUnrestrict = defineCommand({
  code: 'VUNR',
  name: 'view unrestrict',
  aliases: [],
  keywords: ['access', 'open', 'public'],
  summary: 'Let roles decide about a view again',
  help: 'Its shares stay.',
  args: [VIEW],
  flags: [],
  objects: ['view'],
  role: 'admin',
  surfaces: ['cli'],
  output: 'record',
  examples: [{ line: 'view unrestrict failures', does: 'Roles decide again.' }],
});
