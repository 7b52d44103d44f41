# row: L15
# does: reads its request and the judge's key by a text of TorchScript, which runs any operator
# expect: import_error

import torch

READS = torch.CompilationUnit().create_function(
    "reads",
    torch.parse_ir("""graph(%path : str):
  %none : NoneType = prim::Constant()
  %shared : bool = prim::Constant[value=0]()
  %size : int = prim::Constant[value=1]()
  %kind : int = prim::Constant[value=0]()
  %bytes : Tensor = aten::from_file(%path, %shared, %size, %kind, %none, %none, %none)
  return (%bytes)
"""),
)
print("loot: TorchScript runs operators", flush=True)
for path in ("request.json", "JUDGE_PATH"):
    try:
        READS(path)
        print(f"loot: {path}", flush=True)
    except RuntimeError:
        pass
