// What model APIs answer, streamed, as far as the tools read it.
const events = (...list) => list.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('');

/** One answer of OpenAI's Responses API, streamed. */
export function response(text) {
  const item = { type: 'message', id: 'msg-1', role: 'assistant', content: [{ type: 'output_text', text }] };
  const usage = { input_tokens: 1, output_tokens: 1, total_tokens: 2 };
  return events(
    { type: 'response.created', response: { id: 'resp-1' } },
    { type: 'response.output_item.done', item },
    { type: 'response.completed', response: { id: 'resp-1', usage } },
  );
}

/** One answer of Anthropic's Messages API, streamed. */
export function message(text, model) {
  const usage = { input_tokens: 1, output_tokens: 1 };
  const empty = { id: 'msg-1', type: 'message', role: 'assistant', model, content: [], stop_reason: null, stop_sequence: null, usage };
  return events(
    { type: 'message_start', message: empty },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } },
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage },
    { type: 'message_stop' },
  );
}
