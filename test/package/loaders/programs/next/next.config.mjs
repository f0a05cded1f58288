const beside = {
  serverExternalPackages: ['native-rnn'],
  outputFileTracingIncludes: { '/**': ['./node_modules/native-rnn/prebuilds/*'] },
}
export default {
  output: 'standalone',
  outputFileTracingRoot: import.meta.dirname,
  distDir: process.env.WAY,
  ...(process.env.WAY === 'beside' ? beside : {}),
}
