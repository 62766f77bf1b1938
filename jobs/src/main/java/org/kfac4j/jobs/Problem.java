package org.kfac4j.jobs;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.List;
import org.kfac4j.InvalidInputException;
import org.kfac4j.Settings;
import org.kfac4j.data.Augmentation;
import org.kfac4j.data.DataSet;
import org.kfac4j.data.ExampleShape;
import org.kfac4j.data.Storage;
import org.kfac4j.datasets.DataRequest;
import org.kfac4j.datasets.DataSources;
import org.kfac4j.datasets.DataTask;
import org.kfac4j.datasets.NormalizedChannels;
import org.kfac4j.linalg.Precision;
import org.kfac4j.network.Dl4jModel;
import org.kfac4j.network.ModelSettings;
import org.kfac4j.network.Network;

/**
 * What a conf file asks to be solved: a model and the data for it.
 *
 * @param model configuration and initial weights
 * @param network the model's, with the conf's l2 added
 * @param augmentation of training examples
 */
record Problem(
    Dl4jModel.Loaded model,
    Network network,
    DataSet data,
    Augmentation augmentation,
    Precision precision) {
  /**
   * Reads the model and opens the data, on the driver.
   *
   * @throws InvalidInputException if they break a rule or do not fit each other
   */
  static Problem from(Settings settings, Storage storage) throws IOException {
    return of(
        ModelSettings.from(settings).create(storage, settings.longValue("training.seed")),
        settings,
        storage);
  }

  /**
   * As {@link #from}, but for {@code model} instead of the one that the settings name.
   *
   * @throws InvalidInputException if a setting breaks a rule, or model and data do not fit each
   *     other
   */
  static Problem of(Dl4jModel.Loaded model, Settings settings, Storage storage) throws IOException {
    Network network = model.model().network().withMoreL2(settings.nonNegative("optimizer.l2"));
    DataSet data = data(settings, storage);
    checkFit(network, data.train().shape());
    Augmentation augmentation = augmentation(settings, data.train().shape());
    return new Problem(model, network, data, augmentation, precision(settings));
  }

  /** The same with another l2 in addition to the model's. */
  Problem withL2(double l2) {
    return new Problem(
        model, model.model().network().withMoreL2(l2), data, augmentation, precision);
  }

  /** The same with other initial weights. */
  Problem from(double[] theta) {
    Dl4jModel.Loaded start = new Dl4jModel.Loaded(model.model(), theta, model.saved());
    return new Problem(start, network, data, augmentation, precision);
  }

  static Precision precision(Settings settings) {
    return settings.choice("training.precision", Precision.class);
  }

  private static DataSet data(Settings settings, Storage storage) throws IOException {
    try {
      DataSet raw =
          DataSources.open(
              new DataRequest(
                  settings.text("data.source"),
                  settings.text("data.path"),
                  settings.choice("data.task", DataTask.class),
                  settings.nonNegativeInt("data.classes"),
                  settings.longValue("data.seed"),
                  settings.nonNegativeInt("data.train-size"),
                  settings.nonNegativeInt("data.test-size"),
                  storage));
      return NormalizedChannels.of(
          raw, settings.numbers("data.channel-mean"), settings.numbers("data.channel-std"));
    } catch (FileNotFoundException e) {
      throw new InvalidInputException(String.valueOf(e.getMessage()), e);
    }
  }

  private static Augmentation augmentation(Settings settings, ExampleShape shape) {
    int padding = settings.nonNegativeInt("data.augment.crop-padding");
    boolean flip = settings.flag("data.augment.flip");
    if (padding == 0 && !flip) {
      return Augmentation.NONE;
    }
    List<Integer> image = settings.positiveInts("data.augment.image");
    InvalidInputException.require(
        image.size() == 3,
        "data.augment.image must be [channels, rows, columns] for crops and flips, got %s",
        image);
    Augmentation augmentation =
        new Augmentation(
            image.get(0),
            image.get(1),
            image.get(2),
            padding,
            flip,
            settings.longValue("training.seed"));
    InvalidInputException.require(
        augmentation.length() == shape.features(),
        "data.augment.image %s has %d numbers, but an example of data.source has %d features",
        image,
        augmentation.length(),
        shape.features());
    return augmentation;
  }

  private static void checkFit(Network network, ExampleShape shape) {
    InvalidInputException.require(
        network.inputs() == shape.features(),
        "the model has %d inputs, but an example of data.source has %d features",
        network.inputs(),
        shape.features());
    InvalidInputException.require(
        network.outputs() == shape.targets(),
        "the model has %d outputs, but an example of data.source has %d %s",
        network.outputs(),
        shape.targets(),
        shape.classes() ? "classes" : "targets");
  }
}
