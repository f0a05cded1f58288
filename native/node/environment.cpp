// The calls that run on the pool, and the notifier that brings their ends back to the JavaScript thread.
#include "environment.h"

namespace native_rnn {

void Environment::trimScratch() {
  if (scratch->bytes() <= size_t{32} << 20)
    return;
  if (Scratch* const fresh = new (std::nothrow) Scratch)
    scratch.reset(fresh);
}

void Environment::openNotifier(napi_value settle) {
  napi_value name;
  check(napi_create_string_utf8(env, "native-rnn", NAPI_AUTO_LENGTH, &name));
  napi_threadsafe_function notifier;
  check(napi_create_threadsafe_function(env, settle, nullptr, name, 0, 1, nullptr, nullptr, this, &Environment::deliver,
                                        &notifier));
  // After the notifier, as hooks run in reverse order: `close` must find it still there.
  if (napi_add_env_cleanup_hook(env, &Environment::close, this) != napi_ok) {
    napi_release_threadsafe_function(notifier, napi_tsfn_abort);
    throw ExceptionPending{};
  }
  napi_unref_threadsafe_function(env, notifier); // an idle library keeps no process alive
  notifier_ = notifier;
}

size_t Environment::submit(std::unique_ptr<AsyncCall> call) {
  if (!isOpen())
    throwInvalid("setUp() has not been called");
  const size_t slot = pending_.next();
  call->slot = slot;
  if (!Pool::shared().submit(*call))
    throw std::runtime_error("native-rnn: the system starts no thread");
  pending_.put(std::move(call));
  if (running_++ == 0)
    napi_ref_threadsafe_function(env, notifier_);
  return slot;
}

void Environment::callIsOver() {
  if (--running_ == 0)
    napi_unref_threadsafe_function(env, notifier_);
}

AsyncCall& Environment::call(size_t slot) const {
  const std::unique_ptr<AsyncCall>* const call = pending_.find(slot);
  if (!call || !*call)
    throwInvalid("no such call");
  return **call;
}

AsyncCall& Environment::ended(size_t slot) {
  AsyncCall& call = this->call(slot);
  if (!call.ended)
    throwInvalid("the call has not ended");
  return call;
}

std::unique_ptr<AsyncCall> Environment::remove(size_t slot) {
  ended(slot);
  return pending_.take(slot);
}

bool Environment::cancel(size_t slot) {
  AsyncCall& call = this->call(slot);
  if (call.ended)
    return false;
  if (Pool::shared().cancel(call) == 0) {
    call.cancel();
    return false;
  }
  call.ended = true;
  callIsOver();
  remove(slot);
  return true;
}

// On a pool thread, with the completion queue locked, so that its `mute` waits for this.
void Environment::notify(void* self) {
  napi_call_threadsafe_function(static_cast<Environment*>(self)->notifier_, nullptr, napi_tsfn_nonblocking);
}

void Environment::deliver(napi_env env, napi_value settle, void* self, void*) {
  if (!env || !settle)
    return; // the environment is gone, and `self` may be too
  Environment& environment = *static_cast<Environment*>(self);
  for (AsyncCall *call = environment.completions_.take(), *next; call; call = next) {
    next = call->next; // settling frees the call
    call->ended = true;
    environment.callIsOver();
    environment.settle(settle, *call);
  }
}

void Environment::settle(napi_value settle, const AsyncCall& call) const {
  napi_handle_scope scope;
  if (napi_open_handle_scope(env, &scope) != napi_ok)
    return;
  napi_value global, arguments[2];
  if (napi_get_global(env, &global) == napi_ok &&
      napi_create_uint32(env, static_cast<uint32_t>(call.slot), &arguments[0]) == napi_ok &&
      napi_create_int32(env, static_cast<int32_t>(call.outcome), &arguments[1]) == napi_ok &&
      napi_call_function(env, global, settle, 2, arguments, nullptr) == napi_pending_exception) {
    napi_value error;
    if (napi_get_and_clear_last_exception(env, &error) == napi_ok)
      napi_fatal_exception(env, error);
  }
  napi_close_handle_scope(env, scope);
}

// The environment ends, maybe in the middle of anything: pool threads must have left its calls before it goes on.
void Environment::close(void* self) {
  Environment& environment = *static_cast<Environment*>(self);
  environment.completions_.mute();
  size_t waited = 0;
  for (const std::unique_ptr<AsyncCall>& call : environment.pending_.all()) {
    if (!call || call->ended || Pool::shared().cancel(*call))
      continue;
    call->cancel();
    waited++;
  }
  while (waited) {
    for (AsyncCall* call = environment.completions_.wait(); call; call = call->next)
      waited--;
  }
  environment.pending_.clear();
}

} // namespace native_rnn
