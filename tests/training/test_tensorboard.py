"""What TensorBoard is told: files as TensorBoard's own writer makes them, and what is in them."""

import io
import json
import struct

import matplotlib.image
import numpy as np
import pytest

import mlapi
from mlapi import layers
from mlapi.callbacks import TensorBoard
from mlapi.errors import ArgumentError, ArgumentTypeError
from mlapi.training import event_files
from mlapi.training.event_files import EventFile

X = np.arange(36).reshape(12, 3) % 7
Y = X.sum(axis=1, keepdims=True).astype("float32") / 10


def make_model():
    embed = layers.Embedding(7, 2, name="words")
    parts = [mlapi.Input((3,)), embed, layers.Flatten(), layers.Dense(1, name="out")]
    model = mlapi.Sequential(parts, name="model")
    model.compile(mlapi.optimizers.SGD(0.01), "mse", metrics=["mae"])
    return model


def fit(folder, model=None, epochs=2, fit_options=None, **options):
    """Three batches an epoch."""
    board = TensorBoard(folder, **options)
    model = model or make_model()
    kwargs = {"batch_size": 4, "validation_data": (X, Y), "epochs": epochs, **(fit_options or {})}
    return model.fit(X, Y, verbose=0, callbacks=[board], **kwargs)


# A reader of the files, by the description of their format: records of protocol buffers.


def messages(data):
    """Field number → list of values, of one protocol buffer."""
    found, at = {}, 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        key = varint()
        kind = key & 7
        if kind == 0:
            value = varint()
        else:
            size = varint() if kind == 2 else {1: 8, 5: 4}[kind]
            value = data[at : at + size]
            at += size
        found.setdefault(key >> 3, []).append(value)
    return found


def events(folder):
    """(step, tag, fields of the value) of all that is in the files of a folder."""
    found = []
    for path in sorted(folder.glob("events.out.tfevents.*")):
        stream = io.BytesIO(path.read_bytes())
        while header := stream.read(12):
            data = stream.read(struct.unpack("<Q", header[:8])[0])
            assert event_files.record(data) == header + data + stream.read(4)
            event = messages(data)
            for value in messages(event[5][0])[1] if 5 in event else ():
                fields = messages(value)
                found.append((event[2][0], fields[1][0].decode(), fields))
    return found


def scalars(folder):
    """Tag → {step: number}."""
    found = {}
    for step, tag, fields in events(folder):
        if 2 in fields:
            found.setdefault(tag, {})[step] = struct.unpack("<f", fields[2][0])[0]
    return found


# --- files -----------------------------------------------------------------------------------

# What `RecordWriter` and the generated classes of tensorboard 2.21 write for the same.
GOLDEN = {
    "version": "1800000000000000a37f4b220900001040fc54d9411a0d627261696e2e4576656e743a32338d2fe9",
    "scalar": "2100000000000000017becf60900001040fc54d94110ac022a130a110a0a65706f63685f6c6f737315"
    "cdcccc3dc8ccdf88",
    "histogram": "6f000000000000006c3181de0900001040fc54d94110022a620a600a0b772f686973746f6772616d"
    "2a5109000000000000f0bf110000000000000840190000000000001040210000000000001a402900"
    "000000004034403210000000000000f03f00000000000008403a10000000000000f03f0000000000"
    "0008406266ebe3",
    "string": "3b000000000000001a23ac5c0900001040fc54d94110012a2e0a2c0a056b657261734209080712004203"
    "c3a4624a180a160a1167726170685f6b657261735f6d6f64656c120131833154c0",
}


def test_files_are_those_of_tensorboards_own_writer(tmp_path, monkeypatch):
    monkeypatch.setattr(event_files.time, "time", lambda: 1700000000.25)
    with EventFile(tmp_path) as file:
        file.scalar("epoch_loss", 0.1, step=300)
        file.histogram("w/histogram", [-1, 2, 2.5, 3, np.nan], step=2, buckets=2)
        file.string("keras", "äb", 1, "graph_keras_model", b"1")
    (path,) = tmp_path.iterdir()
    assert path.name.startswith("events.out.tfevents.1700000000.")
    assert path.read_bytes().hex() == "".join(GOLDEN.values())


@pytest.mark.parametrize(
    ("data", "crc"),
    [  # RFC 3720, B.4, and the usual check value
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (b"123456789", 0xE3069283),
    ],
)
def test_checksums_are_those_of_the_standard(data, crc):
    assert event_files.crc32c(data) == crc


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_images_are_png(channels):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, channels)).astype("uint8")
    read = matplotlib.image.imread(io.BytesIO(event_files.png(pixels)))
    np.testing.assert_array_equal(np.round(read * 255).reshape(pixels.shape), pixels)


def test_a_file_that_gets_nothing_is_not_made(tmp_path):
    EventFile(tmp_path / "train").close()
    assert list(tmp_path.iterdir()) == []


# --- what a run writes -----------------------------------------------------------------------


def test_epochs_are_two_runs_under_keras_names(tmp_path):
    history = fit(tmp_path, epochs=2).history
    train, validation = scalars(tmp_path / "train"), scalars(tmp_path / "validation")
    assert set(train) == {"epoch_loss", "epoch_mae", "epoch_learning_rate"}
    for name in ("loss", "mae"):
        expected = dict(enumerate(history[name]))
        assert train[f"epoch_{name}"] == pytest.approx(expected)
        expected = dict(enumerate(history[f"val_{name}"]))
        assert validation[f"epoch_{name}"] == pytest.approx(expected)
        by_step = {3: expected[0], 6: expected[1]}
        assert validation[f"evaluation_{name}_vs_iterations"] == pytest.approx(by_step)
    assert train["epoch_learning_rate"] == pytest.approx({0: 0.01, 1: 0.01})


@pytest.mark.parametrize(
    ("arguments", "fit_options", "steps"),
    [
        ({}, {}, []),
        ({"update_freq": "batch"}, {}, [1, 2, 3, 4, 5, 6]),
        ({"update_freq": 4}, {}, [4]),
        ({}, {"log_every": 4}, [4]),
        ({"update_freq": 2}, {"log_every": 4}, [2, 4, 6]),
    ],
)
def test_batches_are_written_at_the_steps_asked_for(arguments, fit_options, steps, tmp_path):
    fit(tmp_path, fit_options=fit_options, write_graph=False, **arguments)
    assert list(scalars(tmp_path / "train").get("batch_loss", {})) == steps


def test_steps_go_on_in_the_next_fit_and_paces_are_written(tmp_path):
    model, options = make_model(), {"update_freq": 2, "write_steps_per_second": True}
    fit(tmp_path / "a", model, epochs=1, **options)
    fit(tmp_path / "b", model, epochs=1, **options)
    train = scalars(tmp_path / "b" / "train")
    assert list(train["batch_loss"]) == list(train["batch_steps_per_second"]) == [5]
    assert train["batch_steps_per_second"][5] > 0
    assert train["epoch_steps_per_second"][0] > 0


def test_validation_between_steps_is_written_by_steps(tmp_path):
    fit(tmp_path, fit_options={"validation_every": 2}, update_freq=1, write_graph=False)
    validation = scalars(tmp_path / "validation")
    assert list(validation["evaluation_loss_vs_iterations"]) == [2, 4, 6]
    assert set(scalars(tmp_path / "train")) == {
        "batch_loss", "batch_mae", "epoch_loss", "epoch_mae", "epoch_learning_rate"
    }  # fmt: skip


def test_weights_are_written_as_histograms_and_images(tmp_path):
    model = make_model()
    fit(tmp_path, model, epochs=3, histogram_freq=2, write_images=True)
    found = events(tmp_path / "train")
    paths = [variable.path for variable in model.weights]
    histograms = [(step, tag) for step, tag, fields in found if 5 in fields]
    assert histograms == [(step, f"{path}/histogram") for step in (0, 2) for path in paths]
    last = {tag: fields for step, tag, fields in found if step == 2}
    for variable in model.weights:
        histogram = messages(last[f"{variable.path}/histogram"][5][0])
        least, greatest, count = (struct.unpack("<d", histogram[i][0])[0] for i in (1, 2, 3))
        values = variable.numpy()
        assert (least, greatest, count) == (values.min(), values.max(), values.size)
    image = messages(last[f"{model.weights[0].path}/image"][4][0])
    assert (image[1], image[2], image[3]) == ([2], [7], [1])  # the taller way round is turned
    read = matplotlib.image.imread(io.BytesIO(image[4][0]))
    values = model.weights[0].numpy().T
    scaled = (values - values.min()) / (values.max() - values.min())
    np.testing.assert_allclose(read, scaled, atol=0.5 / 255 + 1e-6)


def test_layers_are_written_as_text_and_as_a_graph(tmp_path):
    model = make_model()
    fit(tmp_path, model)
    found = {tag: fields for _, tag, fields in events(tmp_path / "train")}
    summary = messages(found["model/summary"][8][0])[8][0].decode()
    assert "words" in summary
    graph = messages(found["keras"][8][0])[8][0].decode()
    assert json.loads(graph) == json.loads(model.to_json())
    plugin = messages(messages(found["keras"][9][0])[1][0])
    assert plugin == {1: [b"graph_keras_model"], 2: [b"1"]}


def test_embeddings_are_written_for_the_projector(tmp_path):
    model = make_model()
    fit(tmp_path, model, embeddings_freq=1, embeddings_metadata={"words": "labels.tsv"})
    vectors = np.loadtxt(tmp_path / "words.tsv", delimiter="\t")
    np.testing.assert_allclose(vectors, model.get_weights()[0], rtol=1e-5)
    assert (tmp_path / "projector_config.pbtxt").read_text(encoding="utf-8") == (
        'embeddings {\n  tensor_name: "words"\n  tensor_path: "words.tsv"\n'
        '  metadata_path: "labels.tsv"\n}\n'
    )


def test_callbacks_of_ones_own_write_to_the_same_run(tmp_path):
    class Own(TensorBoard):
        def on_epoch_end(self, epoch, logs=None):
            super().on_epoch_end(epoch, logs)
            self.summary.scalar("own", epoch / 2, epoch)

    make_model().fit(X, Y, epochs=2, verbose=0, callbacks=[Own(tmp_path)])
    assert scalars(tmp_path / "train")["own"] == {0: 0.0, 1: 0.5}


def test_evaluation_alone_is_written(tmp_path):
    model = make_model()
    loss, _ = model.evaluate(X, Y, verbose=0, callbacks=[TensorBoard(tmp_path)])
    found = scalars(tmp_path / "validation")
    assert found["evaluation_loss_vs_iterations"] == pytest.approx({0: loss})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"histogram_freq": -1}, "histogram_freq must be an integer of at least 0"),
        ({"update_freq": "epochs"}, "update_freq must be an integer of at least 1"),
        ({"profile_batch": 2}, "Run the profiler of your framework"),
        ({"embeddings_metadata": 3}, "the name of a file, or a dict"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message):
    with pytest.raises((ArgumentError, ArgumentTypeError), match=message):
        TensorBoard(**arguments)


def test_metadata_of_unknown_layers_are_refused(tmp_path):
    options = {"embeddings_freq": 1, "embeddings_metadata": {"word": "labels.tsv"}}
    with pytest.raises(ArgumentError, match="Did you mean 'words'"):
        fit(tmp_path, **options)
