"""A mixer that touches much of what mixers may use, once in each of its passes, beside a plain map of its own: what
of it is imported late, or reads a file, shows in a process that can do neither. Its answers depend on the map alone.
"""

import dataclasses
import functools
import typing

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations


class Scan(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(x):
        return x.cumsum(-1)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(inputs[0])

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad):
        return grad.flip(-1).cumsum(-1).flip(-1)


@dataclasses.dataclass(frozen=True, order=True)
class Facts:
    width: int = 4
    names: tuple[str, ...] = dataclasses.field(default_factory=tuple)


class Pair(typing.NamedTuple):
    first: torch.Tensor
    second: torch.Tensor | None = None


@functools.cache
def steps(count):
    return torch.arange(float(count)) + 1


def gradients(x):
    y = torch.einsum("ij,jk,kl->il", x, x, x) + torch.vmap(Scan.apply)(x)
    (first,) = torch.autograd.grad(y, x, grad_outputs=torch.ones_like(y), create_graph=True)
    (second,) = torch.autograd.grad(first, x, torch.ones_like(first), retain_graph=True)
    y.register_hook(lambda grad: grad)
    y.backward(torch.ones_like(y))
    torch.autograd.backward([Scan.apply(x)], [torch.ones_like(x)])
    return torch.vmap(torch.vmap(lambda a: a * a))(second)


def modules(x):
    parts = [
        parametrizations.weight_norm(nn.Linear(4, 4)),
        parametrizations.spectral_norm(nn.Linear(4, 4)),
        parametrizations.orthogonal(nn.Linear(4, 4)),
        nn.utils.weight_norm(nn.Linear(4, 4)),
        nn.utils.spectral_norm(nn.Linear(4, 4)),
        *(nn.LayerNorm(4), nn.RMSNorm(4), nn.GELU(), nn.Bilinear(4, 4, 4)),
    ]
    for part in parts:
        found = part(x, x) if isinstance(part, nn.Bilinear) else part(x)
        found.sum().backward()
        repr(part)
        part.load_state_dict(part.state_dict())
    wide = x[None]
    for recurrent in (nn.GRU, nn.LSTM, nn.RNN):
        recurrent(4, 4, batch_first=True)(wide)[0].sum().backward()
    attention = nn.MultiheadAttention(4, 2, batch_first=True)
    attention(wide, wide, wide)
    layer = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
    layer(wide)
    layer.eval()(wide)
    nn.utils.clip_grad_norm_(layer.parameters(), 1.0)
    nn.utils.parameters_to_vector(layer.parameters())
    nn.Conv1d(4, 4, 3, padding="same", padding_mode="circular")(wide)
    nn.LazyLinear(4)(x)


def functions(x):
    wide = x[None, None]
    F.scaled_dot_product_attention(wide, wide, wide, is_causal=True).sum().backward()
    F.scaled_dot_product_attention(wide, wide, wide, attn_mask=torch.ones(4, 4, dtype=torch.bool).tril())
    F.pad(wide, (1, 1, 1, 1), mode="reflect")
    F.interpolate(wide, scale_factor=2.0, mode="bilinear")
    F.fold(F.unfold(wide, 2), (4, 4), 2)
    F.gumbel_softmax(x, hard=True)
    F.cross_entropy(x, torch.arange(4))
    F.embedding_bag(torch.arange(4), x, torch.tensor([0, 2]))
    F.grid_sample(wide, torch.zeros(1, 2, 2, 2), align_corners=False)
    F.sigmoid(x)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        F.linear(x, x)
    with torch.amp.autocast("cpu"), torch.inference_mode():
        F.linear(x.detach(), x.detach())


def algebra(x):
    square = x.detach() @ x.detach().T + 4 * torch.eye(4)
    for name in ("cholesky", "det", "eigh", "eigvals", "inv", "matrix_exp", "norm", "pinv", "qr", "slogdet", "svd"):
        getattr(torch.linalg, name)(square)
    torch.linalg.lstsq(square, square)
    torch.linalg.multi_dot([square, square, square])
    for name in ("digamma", "erfinv", "expit", "i0e", "log_ndtr", "ndtri", "spherical_bessel_j0", "xlog1py"):
        function = getattr(torch.special, name)
        function(square, square) if name == "xlog1py" else function(square)
    spectrum = torch.fft.rfft(square, n=8)
    torch.fft.irfft(spectrum * torch.polar(torch.ones(5), torch.zeros(5)), n=8)
    torch.istft(torch.stft(torch.ones(64), 16, return_complex=True, window=torch.ones(16)), 16, window=torch.ones(16))
    torch.view_as_real(torch.view_as_complex(torch.ones(4, 2)))
    torch.lobpcg(square, k=1)
    torch.pca_lowrank(square)
    torch.lu(square)
    torch.norm(square)
    torch.chain_matmul(square, square)
    torch.cdist(square, square)
    torch.unique(torch.arange(4), return_inverse=True)
    torch.meshgrid(torch.arange(2), torch.arange(2))
    torch.tensordot(square, square, dims=1)
    torch.block_diag(square, square)


def texts(x):
    shown = [
        x,
        x.detach().to(torch.complex64),
        x.detach().to_sparse(),
        torch.nn.Parameter(x.detach()),
        Facts(),
        Pair(x),
    ]
    said = "".join(f"{value!r}{value}" for value in shown)
    for name in ("ascii", "idna", "latin-1", "punycode", "raw_unicode_escape", "unicode_escape", "utf-7", "utf-16"):
        "abc".encode(name).decode(name)
    for name in ("utf-16-be", "utf-16-le", "utf-32", "utf-32-be", "utf-32-le", "utf-8-sig"):
        said[:8].encode(name).decode(name)
    x.detach().numpy().tolist()
    x.detach().clone().resize(16)
    try:
        x @ torch.ones(5, 5)
    except RuntimeError as error:
        return f"{error}"


class Mixer(nn.Module):
    def __init__(self, hidden_size, num_heads, layer_index=0, num_layers=1):
        super().__init__()
        self.map = nn.Linear(hidden_size, hidden_size)

    def forward(self, x, state=None):
        # Random numbers of its own, so that both passes of a comparison draw the same ones.
        with torch.random.fork_rng(), torch.inference_mode(False), torch.enable_grad():
            part = (steps(16).view(4, 4) / 16).clone().requires_grad_()
            gradients(part)
            modules(part)
            functions(part)
            algebra(part)
            texts(part)
        return self.map(x), state
