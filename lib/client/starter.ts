import type { StartRunBody } from '@/lib/protocol/api';

/** The workflow that every installation has, with servers that are bundled and a document that is there. */
export const STARTER_RUN: StartRunBody = {
  workflow: 'document-pipeline',
  servers: ['filesystem', 'memory'],
  input: { path: 'welcome.md' },
};

/** The same from a shell, as the empty screen shows it. */
export const STARTER_COMMAND = `npm run oc -- orchestrate ${STARTER_RUN.workflow} --with ${STARTER_RUN.servers?.join(',')} --input '${JSON.stringify(STARTER_RUN.input)}'`;
