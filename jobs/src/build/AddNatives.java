import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipArchiveOutputStream;
import org.apache.commons.compress.archivers.zip.ZipFile;

/**
 * Makes the assembly: the shaded jar and the native libraries, which are copied as they are,
 * compressed. The shade plugin would inflate and deflate 700 MB of them in every build, which takes
 * the better part of a minute. Maven runs this as a source file.
 */
final class AddNatives {
  private final Set<String> present = new HashSet<>();
  private final ZipArchiveOutputStream out;

  private AddNatives(ZipArchiveOutputStream out) {
    this.out = out;
  }

  /** Arguments: the shaded jar, the folder of jars with native libraries, the assembly. */
  public static void main(String[] args) throws IOException {
    Path assembly = Path.of(args[2]);
    Path unfinished = Path.of(assembly + "." + ProcessHandle.current().pid());
    try (var out = new ZipArchiveOutputStream(unfinished)) {
      var merged = new AddNatives(out);
      merged.add(Path.of(args[0]));
      for (Path jar : jars(Path.of(args[1]))) {
        merged.add(jar);
      }
    }
    // Not written in place: a running job goes on with the file it has open.
    Files.move(unfinished, assembly, StandardCopyOption.REPLACE_EXISTING);
  }

  private static List<Path> jars(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> file.toString().endsWith(".jar")).sorted().toList();
    }
  }

  /** The first of several entries of one name stays. */
  private void add(Path jar) throws IOException {
    try (var zip = new ZipFile(jar)) {
      zip.copyRawEntries(out, entry -> isWanted(entry) && present.add(entry.getName()));
    }
  }

  private static boolean isWanted(ZipArchiveEntry entry) {
    String name = entry.getName();
    return !entry.isDirectory()
        && !name.startsWith("META-INF/native-image/")
        && !name.endsWith("module-info.class");
  }
}
