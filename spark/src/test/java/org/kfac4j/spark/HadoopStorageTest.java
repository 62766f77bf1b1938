package org.kfac4j.spark;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.kfac4j.data.Storage;

class HadoopStorageTest {
  @TempDir Path temporary;
  private final Storage storage = new HadoopStorage(new Configuration(false));

  private String uri(String scheme, String name) {
    return scheme + temporary.toAbsolutePath() + "/" + name;
  }

  private void write(String uri, byte[] bytes) throws IOException {
    try (OutputStream out = storage.create(uri)) {
      out.write(bytes);
    }
  }

  private byte[] read(String uri) throws IOException {
    try (InputStream in = storage.open(uri)) {
      return in.readAllBytes();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "file:", "file://"})
  void whatIsWrittenIsReadBackThroughPathsAndUris(String scheme) throws IOException {
    byte[] bytes = new byte[300_001];
    new Random(1).nextBytes(bytes);
    String file = uri(scheme, "new folder/another/data.bin");
    assertThat(storage.exists(file)).isFalse();
    write(file, bytes);
    assertThat(storage.exists(file)).isTrue();
    assertThat(storage.length(file)).isEqualTo(bytes.length);
    assertThat(read(file)).isEqualTo(bytes);
    assertThat(temporary.resolve("new folder/another/data.bin")).hasBinaryContent(bytes);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "file:"})
  void aFileIsReplacedByAShorterOne(String scheme) throws IOException {
    String file = uri(scheme, "data");
    write(file, "a long text".getBytes(UTF_8));
    write(file, "short".getBytes(UTF_8));
    assertThat(read(file)).asString(UTF_8).isEqualTo("short");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "file:"})
  void aFolderListsTheNamesInItSorted(String scheme) throws IOException {
    write(uri(scheme, "folder/b"), new byte[1]);
    write(uri(scheme, "folder/a/inside"), new byte[1]);
    write(uri(scheme, "folder/c d"), new byte[0]);
    assertThat(storage.list(uri(scheme, "folder"))).containsExactly("a", "b", "c d");
    assertThat(storage.list(uri(scheme, "nowhere"))).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "file:"})
  void deletingAFolderDeletesWhatIsInItAndNothingElse(String scheme) throws IOException {
    write(uri(scheme, "folder/a/inside"), new byte[1]);
    write(uri(scheme, "beside"), new byte[1]);
    storage.delete(uri(scheme, "folder"));
    storage.delete(uri(scheme, "nowhere"));
    assertThat(storage.list(uri(scheme, ""))).containsExactly("beside");
  }

  @Test
  void whatIsFlushedIsVisibleBeforeTheFileIsClosed() throws IOException {
    String file = uri("", "metrics.jsonl");
    try (OutputStream out = storage.create(file)) {
      out.write("one\n".getBytes(UTF_8));
      out.flush();
      assertThat(Files.readString(Path.of(file))).isEqualTo("one\n");
      out.write("two\n".getBytes(UTF_8));
      out.flush();
      assertThat(Files.readString(Path.of(file))).isEqualTo("one\ntwo\n");
    }
  }

  @Test
  void noChecksumFilesAreLeftBesideTheUsersFiles() throws IOException {
    write(uri("", "a/data"), new byte[10_000]);
    write(uri("file:", "b/data"), new byte[10_000]);
    try (Stream<Path> files = Files.walk(temporary)) {
      List<String> names = files.map(file -> file.getFileName().toString()).toList();
      assertThat(names).contains("data").noneMatch(name -> name.endsWith(".crc"));
    }
  }

  @Test
  void aMissingFileIsNamed() {
    String file = uri("", "nowhere/data");
    assertThatThrownBy(() -> storage.open(file))
        .isInstanceOf(FileNotFoundException.class)
        .hasMessageContaining(file);
    assertThatThrownBy(() -> storage.length(file))
        .isInstanceOf(FileNotFoundException.class)
        .hasMessageContaining(file);
  }

  @Test
  void aFolderIsNotOpenedAsAFile() {
    assertThatThrownBy(() -> storage.open(temporary.toString()))
        .isInstanceOf(FileNotFoundException.class)
        .hasMessageContaining(temporary.toString());
  }

  @Test
  void theFileSystemOfAPathWithoutSchemeIsTheConfiguredOne() throws IOException {
    Configuration configuration = new Configuration(false);
    configuration.set("fs.defaultFS", "nonesuch://host/");
    assertThatThrownBy(() -> new HadoopStorage(configuration).exists("/data"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("nonesuch");
  }

  @Test
  void itTravelsToExecutors() throws IOException, ClassNotFoundException {
    write(uri("", "data"), "text".getBytes(UTF_8));
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
      out.writeObject(storage);
    }
    try (ObjectInputStream in =
            new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()));
        InputStream file = ((Storage) in.readObject()).open(uri("", "data"))) {
      assertThat(file.readAllBytes()).asString(UTF_8).isEqualTo("text");
    }
  }

  /** As on an executor, whose working directory is its own. */
  @Test
  void relativePathsStartWhereTheStorageWasMade() throws Exception {
    FileSystem files = FileSystem.get(new Configuration(false));
    org.apache.hadoop.fs.Path before = files.getWorkingDirectory();
    Path driver = Files.createDirectory(temporary.resolve("driver"));
    Files.writeString(driver.resolve("data.txt"), "of the driver");
    try {
      files.setWorkingDirectory(new org.apache.hadoop.fs.Path(driver.toUri()));
      Storage made = new HadoopStorage(new Configuration(false));
      files.setWorkingDirectory(new org.apache.hadoop.fs.Path(temporary.toUri()));
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      new ObjectOutputStream(bytes).writeObject(made);
      Storage sent =
          (Storage)
              new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray())).readObject();
      try (InputStream in = sent.open("data.txt")) {
        assertThat(new String(in.readAllBytes(), UTF_8)).isEqualTo("of the driver");
      }
      assertThat(sent.list(".")).containsExactly("data.txt");
      assertThatThrownBy(() -> sent.open("none.txt"))
          .isInstanceOf(FileNotFoundException.class)
          .hasMessage("no such file: none.txt");
    } finally {
      files.setWorkingDirectory(before);
    }
  }
}
