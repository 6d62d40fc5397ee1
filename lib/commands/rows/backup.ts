import { defineCommand } from '@/lib/commands/types';

/** Write everything into a file. */
export const backup = defineCommand({
  code: 'BKUP',
  name: 'backup',
  keywords: ['dump', 'export', 'save', 'copy'],
  summary: 'Write the whole database into a file',
  help:
    'Takes the database of DATABASE_URL, else the embedded one of the data folder, whether OpenConductor runs or not: work goes ' +
    'on meanwhile, and the file holds one moment. It holds everything, so keep it as safe as the database itself.',
  args: [{ name: 'file', type: 'string', object: 'file', summary: 'File to write; it must not exist.' }],
  flags: [],
  objects: [],
  role: 'owner',
  surfaces: ['cli'],
  output: 'record',
  examples: [{ line: 'backup openconductor.backup.gz', does: 'Back everything up.' }],
});

/** Read everything from a file. */
export const restore = defineCommand({
  code: 'RSTR',
  name: 'restore',
  keywords: ['import', 'recover', 'load'],
  summary: 'Fill the database from a backup',
  help:
    'Stop OpenConductor first. The file is checked as a whole, then read in one transaction: all of it is there afterwards, or ' +
    'nothing has changed. The backup must have the tables that this version or the database has. A database that holds data ' +
    'is refused unless --replace is given.',
  args: [{ name: 'file', type: 'string', object: 'file', summary: 'File that `backup` wrote.' }],
  flags: [{ name: 'replace', type: 'boolean', summary: 'Delete what the database holds now.' }],
  objects: [],
  role: 'owner',
  surfaces: ['cli'],
  output: 'record',
  examples: [
    { line: 'restore openconductor.backup.gz', does: 'Into an empty database.' },
    { line: 'restore openconductor.backup.gz --replace --yes', does: 'In place of what is there.' },
  ],
});
