"""A network with branches, built from layers called on symbolic tensors.

MLAPI_BACKEND=torch python examples/functional_cnn.py
"""

import mlapi
from mlapi import callbacks, layers
from mlapi.visualization import plot_history

mlapi.utils.set_random_seed(1)
(x_train, y_train), (x_test, y_test) = mlapi.datasets.digits.load_data()


def residual_block(x, filters):
    """Two convolutions around which the input takes a short cut."""
    y = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
    y = layers.BatchNormalization(momentum=0.9)(y)
    y = layers.Activation("relu")(y)
    y = layers.Conv2D(filters, 3, padding="same", use_bias=False)(y)
    y = layers.BatchNormalization(momentum=0.9)(y)
    return layers.Activation("relu")(layers.Add()([x, y]))


image = mlapi.Input((8, 8), name="image")
x = layers.Rescaling(1 / 16)(layers.Reshape((8, 8, 1))(image))
x = layers.Conv2D(24, 3, padding="same", activation="relu")(x)
x = residual_block(x, 24)
x = layers.MaxPooling2D()(x)
x = residual_block(x, 24)
pooled = layers.Concatenate()(
    [layers.GlobalAveragePooling2D()(x), layers.Flatten()(layers.MaxPooling2D(2)(x))]
)
digit = layers.Dense(10, activation="softmax", name="digit")(layers.Dropout(0.3)(pooled))
model = mlapi.Model(image, digit, name="residual_cnn")
model.summary()

model.compile(
    optimizer=mlapi.optimizers.AdamW(2e-3, weight_decay=1e-3),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
history = model.fit(
    x_train,
    y_train,
    batch_size=64,
    epochs=8,
    validation_split=0.1,
    callbacks=[
        callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.5, patience=1),
        callbacks.EarlyStopping(monitor="val_loss", patience=3, restore_best_weights=True),
        callbacks.CSVLogger("training.csv"),
    ],
)
results = model.evaluate(x_test, y_test, verbose=0, return_dict=True)
print(f"test accuracy {results['accuracy']:.1%}")
plot_history(history, "training.png")
print("numbers in training.csv, curves in training.png")
