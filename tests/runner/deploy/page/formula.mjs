// In the place of ONNX Runtime: outputs of every token by a formula of its id, its place and its segment, which
// formula.py has too. model.onnx is JSON: how many outputs there are.
export class Tensor {
  constructor(type, data) {
    this.data = Array.from(data, Number);
  }
}

const logit = (id, place, segment, output) => (id * 7919 + place * 31 + segment * 13 + output * 57) % 101 / 32;

async function create(graph) {
  const { outputs } = JSON.parse(new TextDecoder().decode(graph)), each = Array.from({ length: outputs }, (_, one) => one);
  const run = async ({ input_ids: { data }, token_type_ids: { data: kinds } }) => ({
    logits: { data: Float32Array.from(data.flatMap((id, place) => each.map(one => logit(id, place, kinds[place], one)))) },
  });
  return { inputNames: ["input_ids", "attention_mask", "token_type_ids"], outputNames: ["logits"], run };
}

export const InferenceSession = { create }, env = { wasm: {} };
