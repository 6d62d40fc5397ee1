/** Errors around people, roles, keys, secrets and quotas: part of the catalogue in errors.ts, which says what the fields are. */
export const IDENTITY_ERRORS = {
  MEMBER_NOT_FOUND: {
    next: 'List the members with `openconductor member list`.',
    retriable: false,
    httpStatus: 404,
  },
  INVITATION_NOT_FOUND: { next: 'Ask for a new invitation.', retriable: false, httpStatus: 404 },
  ROLE_NOT_FOUND: {
    next: 'List the roles with `openconductor role list`.',
    retriable: false,
    httpStatus: 404,
  },
  ROLE_IN_USE: { next: 'Give its members another role first.', retriable: false, httpStatus: 409 },
  LAST_OWNER: { next: 'Make somebody else an owner first.', retriable: false, httpStatus: 409 },
  TEAM_NOT_FOUND: {
    next: 'List the teams with `openconductor team list`.',
    retriable: false,
    httpStatus: 404,
  },
  TEAM_EXISTS: { next: 'Choose another name.', retriable: false, httpStatus: 409 },
  TEAM_FROM_DIRECTORY: {
    next: 'Change the group in the directory that keeps it.',
    retriable: false,
    httpStatus: 409,
  },
  SCIM_TOKEN_NOT_FOUND: {
    next: 'List the tokens with `openconductor scim list`.',
    retriable: false,
    httpStatus: 404,
  },
  KEY_NOT_FOUND: { next: 'List the keys with `openconductor key list`.', retriable: false, httpStatus: 404 },
  QUOTA_EXCEEDED: {
    next: 'Wait, remove what is not needed, or ask an owner for a higher quota.',
    retriable: false,
    httpStatus: 429,
  },
  SECRET_NOT_FOUND: {
    next: 'List the secrets with `openconductor secret list`.',
    retriable: false,
    httpStatus: 404,
  },
  SECRET_UNREADABLE: {
    next: 'Give the process the key that it was sealed under (OPENCONDUCTOR_SECRET_KEY_PREVIOUS), or set it anew.',
    retriable: false,
    httpStatus: 500,
  },
  KEY_NOT_NEW: {
    next: 'Put a new key into OPENCONDUCTOR_SECRET_KEY and this one into OPENCONDUCTOR_SECRET_KEY_PREVIOUS, restart every process, try again.',
    retriable: false,
    httpStatus: 409,
  },
  OPERATOR_ONLY: {
    next: 'Ask an owner of the first organisation, or use the command line on the machine.',
    retriable: false,
    httpStatus: 403,
  },
  PERSONAL_SECRET_MISSING: {
    next: 'Whoever starts the run sets it: `openconductor secret set NAME --personal`.',
    retriable: false,
    httpStatus: 409,
  },
} as const;
