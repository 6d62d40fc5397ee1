import { defineConfig } from 'prisma/config';

/** For Prisma's own command line; the application and its migrations do not read this. */
export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  datasource: { url: process.env.DATABASE_URL ?? '' },
});
