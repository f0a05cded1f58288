/** The package in TODO. */
export * from '../index.ts'
