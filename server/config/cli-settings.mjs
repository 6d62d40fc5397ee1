/**
 * The settings that the command line reads: which instance it talks to. Rows of the table in settings.mjs.
 *
 * @type {readonly import('./settings.mjs').Setting[]}
 */
export const CLI_SETTINGS = [
  {
    name: 'OPENCONDUCTOR_URL',
    key: 'url',
    kind: 'url',
    default: '',
    protocols: ['http:', 'https:'],
    meaning:
      'Where the command line finds the server. Empty: the one that runs on the data folder, else HOST and PORT.',
  },
  {
    name: 'OPENCONDUCTOR_API_KEY',
    key: 'apiKey',
    kind: 'text',
    default: '',
    meaning: 'API key that the command line sends, unless a profile with a key of its own is used.',
  },
  {
    name: 'OPENCONDUCTOR_PROFILE',
    key: 'profile',
    kind: 'text',
    default: '',
    meaning: 'Profile that the command line uses when OPENCONDUCTOR_URL is not set.',
  },
];
