import { defineConfig } from 'vite';

// `npm run dev` passes requests on to this `studio ui`.
const server = process.env.STUDIO_UI ?? 'http://127.0.0.1:5000';

export default defineConfig({
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false },
    // One sheet for all chunks: what arrives later must not restyle what is there.
    cssCodeSplit: false,
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rolldownOptions: {
      output: {
        // The bundle is committed, so names stay: a change is a change of content. The server makes clients look again.
        entryFileNames: 'assets/app.js',
        chunkFileNames: 'assets/[name].js',
        assetFileNames: 'assets/app[extname]',
        codeSplitting: {
          groups: [
            // What the first page shares with others, in one chunk instead of many small ones.
            { name: 'shared', minShareCount: 2, test: /^(?!.*(\/src\/(charts|summaries|compare)\/|\/node_modules\/uplot\/))/ },
          ],
        },
      },
    },
  },
  server: {
    // The server answers only pages of its own address.
    proxy: Object.fromEntries(['/api', '/tb'].map((path) => [path, { target: server, changeOrigin: true, headers: { origin: server } }])),
  },
});
