"""A program as tutorials of Keras have it, with only the names of the imports changed.

MLAPI_BACKEND=jax python examples/classic_mlp.py
"""

import glob

import numpy as np

from mlapi.callbacks import EarlyStopping, ModelCheckpoint
from mlapi.datasets import digits
from mlapi.layers import Activation, Dense, Dropout
from mlapi.layers.normalization import BatchNormalization
from mlapi.models import Sequential, load_model
from mlapi.optimizers import SGD
from mlapi.utils import set_random_seed, to_categorical

set_random_seed(1)

(x_train, y_train), (x_test, y_test) = digits.load_data()
x_train = x_train.reshape(len(x_train), 64).astype("float32") / 16
x_test = x_test.reshape(len(x_test), 64).astype("float32") / 16
y_train, y_test = to_categorical(y_train, 10), to_categorical(y_test, 10)

model = Sequential()
model.add(Dense(64, input_dim=64))
model.add(BatchNormalization())
model.add(Activation("relu"))
model.add(Dropout(0.2))
model.add(Dense(10))
model.add(Activation("softmax"))
model.summary()

model.compile(
    optimizer=SGD(lr=0.01, momentum=0.9, nesterov=True),
    loss="categorical_crossentropy",
    metrics=["accuracy"],
)

checkpoint = ModelCheckpoint(
    "weights.{epoch:02d}-{val_acc:.2f}.hdf5",
    monitor="val_acc",
    save_best_only=False,
    mode="auto",
    period=1,
)
early_stopping = EarlyStopping(monitor="val_loss", min_delta=0, patience=10)

history = model.fit(
    x_train,
    y_train,
    batch_size=32,
    epochs=10,
    validation_data=(x_test, y_test),
    callbacks=[checkpoint, early_stopping],
)
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"test loss {loss:.4f}, test accuracy {accuracy:.1%}")

# The files load on every backend, whichever wrote them.
last = load_model(max(glob.glob("weights.*.hdf5")))
np.testing.assert_allclose(
    last.predict(x_test, verbose=0), model.predict(x_test, verbose=0), rtol=1e-5, atol=1e-6
)
print(f"the checkpoint of epoch {len(history.epoch)} gives the same predictions")
