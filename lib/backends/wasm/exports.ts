/** The types of what the module exports; the sources in native/wasm are the other side of every line. Addresses are 32-bit integers, of either sign. */

export interface WasmExports {
  readonly memory: unknown
  readonly __stack_pointer: unknown
  _initialize(): void
  header(): number
  arena(): number
  /** Of {@link failure}; asking forgets it. */
  failure(): number
  failureText(): number
  /** 0: there is no memory. */
  allocate(bytes: number): number
  release(address: number): void
  /** Goes so many calls deep. */
  descend(depth: number): number

  networkBytes(numbers: number): number
  networkNew(numbers: number): number
  networkFree(network: number): void
  networkMemory(network: number): number
  networkWeightLength(network: number, index: number): number
  networkPack(network: number, index: number, list: number): void
  networkUnpack(network: number, index: number, list: number): void
  networkForward(network: number, memory: number, floats: number): number

  piecesNew(network: number, memory: number, floats: number): number
  piecesStart(pieces: number): void
  piecesAdvance(pieces: number): number
  piecesFree(pieces: number): void

  streamNew(network: number, rows: number): number
  streamFree(stream: number): void
  streamInput(stream: number): number
  streamOutput(stream: number): number
  streamStep(stream: number): void
  streamRun(stream: number, x: number, T: number, y: number): void
  streamRead(stream: number, h: number, c: number): void
  streamWrite(stream: number, h: number, c: number): void
  streamGoBack(stream: number): void

  operatorBytes(numbers: number): number
  operatorNew(numbers: number): number
  operatorPack(operator: number, list: number): void
  operatorRun(operator: number, x: number, rows: number, y: number): void
  operatorMemory(operator: number): number
  operatorFree(operator: number): void

  programNew(
    numbers: number,
    count: number,
    constants: number,
    constantBytes: number,
    memories: number,
    memoryCount: number,
  ): number
  programFree(program: number): void
  programIo(program: number): number
  programRun(program: number): number

  turnsNew(program: number): number
  turnsIo(turns: number): number
  turnsAdvance(turns: number): number
  turnsEnded(turns: number): number
  turnsFree(turns: number): void
}

/** Why a call trapped. */
export const failure = { none: 0, outOfMemory: 1, tooLarge: 2, invalid: 3 } as const
