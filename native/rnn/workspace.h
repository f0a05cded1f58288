// The memory of a recurrence: each part by its name, laid out by one list.
#pragma once
#include "packed_layer.h"

namespace native_rnn {

struct Workspace {
  // Of B rows unless it says else; rows of states are padded to whole vectors.
  float *h0, *h1;     // the state, old and new by turns
  float* c;           // the cell state
  float* secondInput; // what the second product reads
  float* updateGate;  // z, where the candidate has a product of its own
  float* inputGates;  // packed rows of the steps of a chunk
  float* gatheredX;   // rows of x that do not lie in order
  float* tileScratch; // see RecurrenceArgs
  float** outputRows; // where each row's next output goes

  // What it is for. Floats never fall as B grows.
  struct Sizes {
    Sizes(const PackedLayer&, size_t B, size_t T, bool gathersX);
    size_t hRow, unitRow; // floats from one row of a state to the next
    size_t inputGatesRow; // floats of a packed row
    size_t chunkSteps;    // steps whose input gates there is room for
    size_t B, inputGatesFloats, gatheredFloats, tileScratchFloats;
    size_t floats() const;
  };
  // States are zeros.
  Workspace(const Sizes&, float* memory);
};

} // namespace native_rnn
