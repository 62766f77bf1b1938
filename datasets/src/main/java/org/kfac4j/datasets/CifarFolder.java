package org.kfac4j.datasets;

import java.io.IOException;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.kfac4j.InvalidInputException;
import org.kfac4j.data.DataSet;
import org.kfac4j.data.DataSource;
import org.kfac4j.data.Storage;

/** Finds the files of CIFAR in a folder, or in the archive that its authors offer. */
final class CifarFolder {
  private static final String PACKED = "(\\.gz)?";

  private CifarFolder() {}

  /** Which files are whose, by the names of the official archive. */
  private record Names(
      String archive, String train, String test, List<String> trainMembers, String testMember) {}

  private static Names names(CifarImages.Variant variant) {
    return switch (variant) {
      case CIFAR10 ->
          new Names(
              "cifar-10-binary.tar.gz",
              "data_batch_\\d+\\.bin" + PACKED,
              "test_batch\\w*\\.bin" + PACKED,
              List.of(
                  "data_batch_1.bin",
                  "data_batch_2.bin",
                  "data_batch_3.bin",
                  "data_batch_4.bin",
                  "data_batch_5.bin"),
              "test_batch.bin");
      case CIFAR100 ->
          new Names(
              "cifar-100-binary.tar.gz",
              "train\\.bin" + PACKED,
              "test\\.bin" + PACKED,
              List.of("train.bin"),
              "test.bin");
    };
  }

  /**
   * @throws InvalidInputException if files are missing or break a rule of {@link CifarImages}, or
   *     other classes are asked for than there are
   */
  static DataSet open(DataRequest request, CifarImages.Variant variant) throws IOException {
    DataSources.requirePath(request);
    InvalidInputException.require(
        request.task() == DataTask.AUTOENCODER
            || request.classes() == 0
            || request.classes() == variant.classes(),
        "data.classes must be %d, or 0 for the usual number, for data.source %s, got %d",
        variant.classes(),
        request.source(),
        request.classes());
    Names names = names(variant);
    return new DataSet(
        DataSources.first(
            part(request, variant, names.archive, names.train, names.trainMembers),
            request.trainSize(),
            "data.train-size"),
        DataSources.first(
            part(request, variant, names.archive, names.test, List.of(names.testMember)),
            request.testSize(),
            "data.test-size"));
  }

  private static DataSource part(
      DataRequest request,
      CifarImages.Variant variant,
      String archive,
      String pattern,
      List<String> members)
      throws IOException {
    Storage storage = request.storage();
    String path = request.path();
    if (path.endsWith(".tar.gz") || path.endsWith(".tgz") || path.endsWith(".tar")) {
      return CifarImages.open(storage, variant, path, members, request.task());
    }
    List<String> here = storage.list(path);
    Pattern wanted = Pattern.compile(pattern);
    List<String> files =
        here.stream()
            .filter(name -> wanted.matcher(name).matches())
            // By number: batch 10 is after batch 9.
            .sorted(Comparator.comparing(String::length).thenComparing(Comparator.naturalOrder()))
            .map(name -> Storage.resolve(path, name))
            .toList();
    if (!files.isEmpty()) {
      return CifarImages.open(storage, variant, "", files, request.task());
    }
    if (here.contains(archive)) {
      return CifarImages.open(
          storage, variant, Storage.resolve(path, archive), members, request.task());
    }
    throw new InvalidInputException(
        String.format(
            Locale.ROOT,
            "data.path: no such file: %s (nor with .gz at the end, nor %s)",
            Storage.resolve(path, members.get(0)),
            archive));
  }
}
