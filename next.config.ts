import { fileURLToPath } from 'node:url';
import type { NextConfig } from 'next';

const config: NextConfig = {
  reactStrictMode: true,
  poweredByHeader: false,
  // `npm run check` holds the types to a stricter law; checking them again would only delay the first start.
  typescript: { ignoreBuildErrors: true },
  // Without this Next takes the folder of any lock file further up for the root.
  turbopack: { root: fileURLToPath(new URL('.', import.meta.url)) },
  // Everything is served by our own process: no image service.
  images: { unoptimized: true },
};

export default config;
