package org.kfac4j.datasets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kfac4j.InvalidInputException;
import org.kfac4j.data.DataSet;
import org.kfac4j.data.DataSource;
import org.kfac4j.data.ExampleShape;
import org.kfac4j.data.Examples;
import org.kfac4j.data.LocalStorage;

class CifarImagesTest {
  private static final int TRAIN = 12;
  private static final int TEST = 3;

  @TempDir Path folder;

  private DataSet open(String source, Path path, DataTask task) throws IOException {
    return DataSources.open(
        new DataRequest(source, path.toString(), task, 0, 0, 0, 0, new LocalStorage()));
  }

  private DataSet cifar10() throws IOException {
    return open("cifar10", folder, DataTask.CLASSIFIER);
  }

  private static void assertImages(DataSource source, int firstImage, int classes)
      throws IOException {
    Examples all = source.read(0, source.size());
    for (int row = 0; row < all.count(); row++) {
      assertThat(all.labels()[row]).isEqualTo((firstImage + row) % classes);
      for (int i = 0; i < CifarWriter.PIXELS; i++) {
        assertThat(all.features()[row * CifarWriter.PIXELS + i])
            .isEqualTo(CifarWriter.pixel(firstImage + row, i) / 255f, within(1e-7f));
      }
    }
  }

  @Test
  void recordsOfAllBatchesAreReadInOrder() throws IOException {
    CifarWriter.both(folder, TRAIN, TEST);
    DataSet cifar10 = cifar10();
    assertThat(cifar10.train().size()).isEqualTo(TRAIN);
    assertThat(cifar10.train().shape()).isEqualTo(new ExampleShape(3072, 10, true));
    assertImages(cifar10.train(), 0, 10);
    assertImages(cifar10.test(), TRAIN, 10);
  }

  @Test
  void ofTwoLabelsTheClassCounts() throws IOException {
    CifarWriter.both(folder, TRAIN, TEST);
    DataSet cifar100 = open("cifar100", folder, DataTask.CLASSIFIER);
    assertThat(cifar100.train().shape()).isEqualTo(new ExampleShape(3072, 100, true));
    assertImages(cifar100.train(), 0, 100);
    assertImages(cifar100.test(), TRAIN, 100);
  }

  @Test
  void batchTenIsAfterBatchNine() throws IOException {
    for (int batch = 1; batch <= 10; batch++) {
      Files.write(
          folder.resolve("data_batch_" + batch + ".bin"),
          CifarWriter.records(batch - 1, batch, 1, 10));
    }
    Files.write(folder.resolve("test_batch.bin"), CifarWriter.records(0, 1, 1, 10));
    assertThat(cifar10().train().read(0, 10).labels())
        .containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
  }

  @Test
  void theOfficialArchiveIsReadInTheFolderOrByItsName() throws IOException {
    Map<String, byte[]> files = new LinkedHashMap<>();
    for (int batch = 5; batch >= 1; batch--) {
      files.put(
          "cifar-10-batches-bin/data_batch_" + batch + ".bin",
          CifarWriter.records(3 * (batch - 1), 3 * batch, 1, 10));
    }
    files.put("cifar-10-batches-bin/readme.html", new byte[] {1});
    files.put("cifar-10-batches-bin/test_batch.bin", CifarWriter.records(15, 17, 1, 10));
    Path archive = folder.resolve("cifar-10-binary.tar.gz");
    Files.write(archive, CifarWriter.gzip(CifarWriter.tar(files)));
    for (Path path : new Path[] {folder, archive}) {
      DataSet set = open("cifar10", path, DataTask.CLASSIFIER);
      assertThat(set.train().size()).isEqualTo(15);
      assertImages(set.train(), 0, 10);
      assertImages(set.test(), 15, 10);
      assertThat(set.train().read(7, 11).labels()).containsExactly(7, 8, 9, 0);
    }
    files.remove("cifar-10-batches-bin/data_batch_3.bin");
    Files.write(archive, CifarWriter.gzip(CifarWriter.tar(files)));
    assertRefused(this::cifar10, archive + ": no file data_batch_3.bin in this archive");
  }

  @Test
  void anAutoencodersTargetIsTheImage() throws IOException {
    CifarWriter.both(folder, TRAIN, TEST);
    Examples all = open("cifar10", folder, DataTask.AUTOENCODER).train().read(2, 5);
    assertThat(all.targets()).isSameAs(all.features());
    assertThat(all.labels()).isNull();
  }

  @Test
  void aTruncatedOrMisSizedFileIsNamed() throws IOException {
    CifarWriter.both(folder, TRAIN, TEST);
    Path first = folder.resolve("data_batch_1.bin");
    byte[] whole = Files.readAllBytes(first);
    Files.write(first, Arrays.copyOf(whole, whole.length - 100));
    assertRefused(
        this::cifar10,
        first
            + ": truncated, or not of CIFAR10: records of 1 label byte and 3x32x32 pixels have 3073"
            + " bytes, the file has 18338, which is 5 records and 2973 bytes");
    Files.write(first, new byte[0]);
    assertRefused(
        this::cifar10,
        first
            + ": empty: records of 1 label byte and 3x32x32 pixels have 3073"
            + " bytes, the file has 0, which is 0 records and 0 bytes");
  }

  @Test
  void aTruncatedOrDamagedGzipFileIsNamed() throws IOException {
    CifarWriter.both(folder, TRAIN, TEST);
    Path second = folder.resolve("data_batch_2.bin.gz");
    byte[] whole = Files.readAllBytes(second);
    Files.write(second, Arrays.copyOf(whole, whole.length / 2));
    assertRefused(this::cifar10, second + ": truncated gzip file");
    whole[whole.length - 5] ^= 1;
    Files.write(second, whole);
    assertThatThrownBy(this::cifar10)
        .isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith(second + ": damaged gzip file: ");
  }

  @Test
  void aFileThatShrinksAfterOpeningIsNamed() throws IOException {
    CifarWriter.both(folder, TRAIN, TEST);
    DataSource train = cifar10().train();
    Path first = folder.resolve("data_batch_1.bin");
    Files.write(first, Arrays.copyOf(Files.readAllBytes(first), 4000));
    assertRefused(() -> train.read(0, TRAIN), first + ": truncated: it had 6 records");
  }

  @Test
  void aLabelOutsideTheClassesIsNamed() throws IOException {
    CifarWriter.both(folder, TRAIN, TEST);
    Path first = folder.resolve("data_batch_1.bin");
    byte[] bytes = Files.readAllBytes(first);
    bytes[4 * 3073] = 10;
    Files.write(first, bytes);
    DataSource train = cifar10().train();
    assertRefused(() -> train.read(2, 6), first + ": label of example 4 must be in 0..9, got 10");
  }

  @Test
  void missingFilesAreNamed() {
    assertRefused(
        this::cifar10,
        "data.path: no such file: "
            + folder.resolve("data_batch_1.bin")
            + " (nor with .gz at the end, nor cifar-10-binary.tar.gz)");
  }

  @Test
  void theNumberOfClassesIsGiven() throws IOException {
    CifarWriter.both(folder, TRAIN, TEST);
    assertRefused(
        () ->
            DataSources.open(
                new DataRequest(
                    "cifar100",
                    folder.toString(),
                    DataTask.CLASSIFIER,
                    20,
                    0,
                    0,
                    0,
                    new LocalStorage())),
        "data.classes must be 100, or 0 for the usual number, for data.source cifar100, got 20");
  }

  /** The first 10,000 training images, where there is a copy, have 974 to 1032 of each class. */
  @Test
  void realImagesHaveTheirKnownStatistics() throws IOException {
    Path real = Path.of(System.getProperty("kfac4j.data", "."), "cifar10");
    assumeTrue(Files.isDirectory(real), "no CIFAR-10 in " + real + ": set -Dkfac4j.data");
    DataSource train = open("cifar10", real, DataTask.CLASSIFIER).train();
    Examples all = train.read(0, 10_000);
    int[] counts = new int[10];
    for (int label : all.labels()) {
      counts[label]++;
    }
    assertThat(counts).containsExactly(1005, 974, 1032, 1016, 999, 937, 1030, 1001, 1025, 981);
    // The channel means by which CIFAR-10 is commonly centred are 0.491, 0.482 and 0.447.
    double[] known = {0.491, 0.482, 0.447};
    for (int channel = 0; channel < 3; channel++) {
      double sum = 0;
      for (int image = 0; image < 10_000; image++) {
        for (int i = 0; i < 1024; i++) {
          sum += all.features()[image * 3072 + channel * 1024 + i];
        }
      }
      assertThat(sum / 10_000 / 1024).isCloseTo(known[channel], within(0.005));
    }
  }

  private static void assertRefused(ThrowingCallable call, String message) {
    assertThatThrownBy(call).isInstanceOf(InvalidInputException.class).hasMessage(message);
  }
}
