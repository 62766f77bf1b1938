package org.kfac4j.datasets;

import java.io.IOException;
import java.util.Collections;
import java.util.Locale;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import org.kfac4j.InvalidInputException;
import org.kfac4j.data.DataSet;
import org.kfac4j.data.DataSource;
import org.kfac4j.data.Storage;

/** The table of data sets: what the setting {@code data.source} can be. */
public final class DataSources {
  private static final Map<String, Factory> TABLE =
      Map.of(
          "cifar10", request -> CifarFolder.open(request, CifarImages.Variant.CIFAR10),
          "cifar100", request -> CifarFolder.open(request, CifarImages.Variant.CIFAR100),
          "curves", DataSources::curves,
          "fashion-mnist", DataSources::idx,
          "idx", DataSources::idx,
          "mnist", DataSources::idx);

  private static final int IDX_CLASSES = 10;

  private DataSources() {}

  /** From what is asked for to examples. */
  private interface Factory {
    DataSet open(DataRequest request) throws IOException;
  }

  /** Every name that {@link #open} knows. */
  public static SortedSet<String> names() {
    return Collections.unmodifiableSortedSet(new TreeSet<>(TABLE.keySet()));
  }

  /**
   * Opens a data set: reads as much as it takes to check sizes, headers and labels.
   *
   * @throws InvalidInputException if there is no source of this name, it cannot do what is asked
   *     for, or its files break a rule
   */
  public static DataSet open(DataRequest request) throws IOException {
    Factory factory = TABLE.get(request.source());
    if (factory == null) {
      throw new InvalidInputException(
          String.format(
              Locale.ROOT,
              "data.source must be one of %s, got %s",
              String.join(", ", names()),
              request.source()));
    }
    return factory.open(request);
  }

  private static DataSet curves(DataRequest request) {
    InvalidInputException.require(
        request.task() == DataTask.AUTOENCODER,
        "data.source curves has no classes: it can train an autoencoder, not a classifier");
    return new DataSet(
        curves(request.seed(), Curves.Part.TRAIN, request.trainSize()),
        curves(request.seed(), Curves.Part.TEST, request.testSize()));
  }

  private static Curves curves(long seed, Curves.Part part, long size) {
    return new Curves(seed, part, size == 0 ? part.defaultSize() : size);
  }

  /** A folder of four files that are named as MNIST's; two are enough for an autoencoder. */
  private static DataSet idx(DataRequest request) throws IOException {
    requirePath(request);
    return new DataSet(
        first(idx(request, "train"), request.trainSize(), "data.train-size"),
        first(idx(request, "t10k"), request.testSize(), "data.test-size"));
  }

  static void requirePath(DataRequest request) {
    InvalidInputException.require(
        !request.path().isEmpty(),
        "data.path is missing: data.source %s needs the folder of its files",
        request.source());
  }

  private static DataSource idx(DataRequest request, String part) throws IOException {
    Storage storage = request.storage();
    String images = find(storage, request.path(), part + "-images", "idx3-ubyte");
    if (request.task() == DataTask.AUTOENCODER) {
      return IdxImages.autoencoder(storage, images);
    }
    String labels = find(storage, request.path(), part + "-labels", "idx1-ubyte");
    int classes = request.classes() == 0 ? IDX_CLASSES : request.classes();
    return IdxImages.classifier(storage, images, labels, classes);
  }

  /** The first of the names under which mirrors offer a file. */
  private static String find(Storage storage, String folder, String stem, String extension)
      throws IOException {
    for (String separator : new String[] {"-", "."}) {
      for (String packing : new String[] {"", ".gz"}) {
        String uri = Storage.resolve(folder, stem + separator + extension + packing);
        if (storage.exists(uri)) {
          return uri;
        }
      }
    }
    throw new InvalidInputException(
        String.format(
            Locale.ROOT,
            "data.path: no such file: %s (nor with .gz at the end or . before %s)",
            Storage.resolve(folder, stem + "-" + extension),
            extension));
  }

  /** The first examples of {@code source}, all for 0. */
  static DataSource first(DataSource source, long size, String key) {
    InvalidInputException.require(
        size <= source.size(),
        "%s must be at most %d, the number of examples in %s, got %d",
        key,
        source.size(),
        source.name(),
        size);
    return size == 0 || size == source.size() ? source : new FirstExamples(source, size);
  }
}
